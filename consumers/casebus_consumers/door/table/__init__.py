"""An outbox table in the agency's own PostgreSQL: rows are said by the door and answered beside."""
