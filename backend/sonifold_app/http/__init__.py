"""HTTP itself: who may ask, what a request may be, how replies and errors look. No route, no computing."""
