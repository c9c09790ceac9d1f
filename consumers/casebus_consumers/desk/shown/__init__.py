"""What pages show, made from the agency's own view: rows, bars and lines without any HTML."""
