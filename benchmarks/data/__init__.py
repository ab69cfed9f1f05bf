"""Parts of `bench_data.py`."""
