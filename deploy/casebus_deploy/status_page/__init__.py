"""The status page: what runs, how far behind it is, what was denied."""
