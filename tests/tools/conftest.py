"""Which of these tests go to one process of pytest-xdist: those of a file that builds something for all of them."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import patience  # noqa: E402

patience.everywhere()

TOGETHER = {"test_bench", "test_bench_linux", "test_footprint", "test_options", "test_plugin", "test_previrt_cc", "test_previrt_tool"}


def pytest_configure(config):
    """The mark is known without pytest-xdist as well."""
    config.addinivalue_line("markers", "xdist_group(name): to one process")


@pytest.hookimpl(tryfirst=True)      # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """Mark them."""
    for item in items:
        if item.module.__name__ in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
