//! Bodies as text.
