"""What becomes of it: the Faust services that admit, record and reconcile."""
