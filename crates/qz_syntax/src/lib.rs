//! Text to a lossless tree and its problems.
