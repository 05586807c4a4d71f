"""Files that lie elsewhere, at addresses such as `s3://bucket/orders-*.csv`, read through fsspec.

They are fetched into a folder of the run's own, and from then on are files like any other.
"""
