"""svg.py: pictures of bars, lines and words, as SVG: what schedule.py, timeline.py and jitter.py draw with."""

from html import escape

STYLE = """text { font-family: sans-serif; font-size: 13px; fill: #1f2933 } .title { font-size: 16px; font-weight: bold }
.small { font-size: 11px; fill: #52606d } .response { fill: #1d5fa8 } .slack { fill: #cfe3f5 } .late { fill: #c53030 }
.deadline { stroke: #c53030; stroke-width: 2 } .work { fill: #d9a441 } .idle { fill: #9aa5b1 } .lane { fill: #f5f7fa }
.release { stroke: #2f855a; stroke-width: 1.5 } .axis { stroke: #9aa5b1 } .mark { stroke: #1f2933; stroke-width: 1.5 }"""


class Picture:
    """A white page; things are put on it from the back to the front."""

    def __init__(self, width, title):
        self.width, self.height, self.name, self.items = width, 0, title, []

    def text(self, x, y, words, css="", anchor=""):
        """Words, at their left end, or at `anchor`."""
        more = (f'class="{css}" ' if css else "") + (f'text-anchor="{anchor}" ' if anchor else "")
        self.items.append(f'<text {more}x="{x:g}" y="{y:g}">{escape(words)}</text>')
        self.height = max(self.height, y + 12)

    def bar(self, x, y, width, height, css, hint=""):
        """A rectangle; the hint is what a browser shows at it."""
        shape = f'<rect class="{css}" x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{height:g}"'
        self.items.append(shape + (f"><title>{escape(hint)}</title></rect>" if hint else "/>"))
        self.height = max(self.height, y + height + 12)

    def line(self, x, y, to_x, to_y, css):
        """A line."""
        self.items.append(f'<line class="{css}" x1="{x:.1f}" x2="{to_x:.1f}" y1="{y:g}" y2="{to_y:g}"/>')

    def svg(self):
        """The file's text."""
        size = f'width="{self.width}" height="{self.height:g}"'
        box = f'viewBox="0 0 {self.width} {self.height:g}"'
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="img">',
                          f"<title>{escape(self.name)}</title>", f"<style>{STYLE}</style>",
                          f'<rect {size} fill="#ffffff"/>', *self.items]) + "\n</svg>\n"
