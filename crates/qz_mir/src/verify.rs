//! Checks that a body is well-formed.
