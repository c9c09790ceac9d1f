"""Router: judges every record of an agency once, and tells those concerned."""
