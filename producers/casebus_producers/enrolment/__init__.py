"""An agency's side of joining a bus: its own keys, its request, the operator's answer."""
