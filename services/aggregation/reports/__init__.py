"""Reports: the public figures of a place and a period as CSV, XLSX or PDF."""
