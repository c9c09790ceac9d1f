"""Documents that stay with their sender: fetched door to door, verified by digest, stored under it."""
