"""The harness behind ``bench/run.py``: the system under test, the load, what is measured of it."""
