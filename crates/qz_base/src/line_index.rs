//! From byte offsets to lines and columns, for diagnostics and panics.

/// Zero-based line, and column in characters.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct LineCol {
    pub line: u32,
    pub col: u32,
}

/// Where each line of a text starts.
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    pub fn new(text: &str) -> LineIndex {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i as u32 + 1));
        LineIndex { starts }
    }

    /// The zero-based line of an offset, without the text.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32 - 1
    }

    pub fn line_col(&self, text: &str, offset: u32) -> LineCol {
        let line = self.line(offset);
        let start = self.starts[line as usize] as usize;
        let upto = text.get(start..offset as usize).unwrap_or("");
        LineCol { line, col: upto.chars().count() as u32 }
    }

    pub fn line_start(&self, line: u32) -> u32 {
        self.starts[line as usize]
    }

    pub fn line_count(&self) -> u32 {
        self.starts.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a\nüb\n";
        let index = LineIndex::new(text);
        assert_eq!(index.line_col(text, 0), LineCol { line: 0, col: 0 });
        assert_eq!(index.line_col(text, 4), LineCol { line: 1, col: 1 });
        assert_eq!(index.line_col(text, 6), LineCol { line: 2, col: 0 });
    }
}
