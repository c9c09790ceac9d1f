"""The drop folder: systems that can only write files say a CSV or XLSX row for an event, and read answers."""
