"""Which of these tests go to one process of pytest-xdist: those of one board, which share their runs."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import patience  # noqa: E402

patience.everywhere()


def pytest_configure(config):
    """The mark is known without pytest-xdist as well."""
    config.addinivalue_line("markers", "xdist_group(name): to one process")


@pytest.hookimpl(tryfirst=True)      # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """Mark them; without a board it is the first."""
    for item in items:
        if item.module.__name__ == "test_guests":
            params = item.callspec.params if hasattr(item, "callspec") else {}
            item.add_marker(pytest.mark.xdist_group(params.get("board", "ref405ep")))
