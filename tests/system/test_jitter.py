"""A periodic job beside an idle, a computing, a hostile and a restarting neighbour, all at once, under each scheduler: no sample is
above what is proven. Single neighbours, a Linux, and 10,000 jobs: make jitter."""

import os
import sys

import conftest

import pytest

sys.path.insert(0, os.path.join(conftest.ROOT, "tests", "jitter"))

import jitter  # noqa: E402

BESIDE = ["idle", "busy", "hostile", "restarts"]
JOBS = 300


@pytest.mark.parametrize("scheduler", jitter.SCHEDULERS)
def test_what_is_proven_is_kept(images, tmp_path, scheduler):
    """The job misses nothing, is begun and done in time; and the others have done what they could."""
    partitions = jitter.write_partitions(str(tmp_path), images.guests(), scheduler, BESIDE, JOBS)
    image = images.elf("hostile", f"CONFIG_{jitter.SCHEDULERS[scheduler].option}=y", partitions)
    row = jitter.measure(image, str(tmp_path), JOBS, 600)
    print("\n".join(jitter.table({(scheduler, "all"): row})))
    assert not list(jitter.faults(scheduler, row))
    assert set(row["beside"]) == set(BESIDE)
    for kind in jitter.SAMPLES:
        assert len(row["us"][kind]) == JOBS and 0 < min(row["us"][kind])
    assert all(handler < start < done for handler, start, done in zip(*(row["us"][kind] for kind in jitter.SAMPLES)))
    assert sum(row["switches"].values()) >= JOBS and row["switch_bound"] < 8000     # a switch to each job, at least
    page = jitter.draw({(scheduler, "all"): row})
    assert "beside: all" in page and page.count('class="deadline"') == 1
