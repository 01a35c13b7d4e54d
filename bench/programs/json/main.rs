// JSON is parsed into a tree, summed up and printed again.
use std::fmt::Write;

enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Of all numbers, and the sizes of all texts.
    fn sum(&self) -> i64 {
        match self {
            Json::Null => 0,
            Json::Bool(b) => *b as i64,
            Json::Number(n) => *n,
            Json::Text(s) => s.len() as i64,
            Json::Array(items) => items.iter().map(Json::sum).sum(),
            Json::Object(members) => members.iter().map(|(key, it)| key.len() as i64 + it.sum()).sum(),
        }
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    /// The byte at hand; 0 behind the end.
    fn peek(&self) -> u8 {
        if self.at < self.text.len() { self.text[self.at] } else { 0 }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    fn fail<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("{what} expected at byte {}", self.at))
    }

    /// A sign that must stand here, behind space.
    fn expect(&mut self, c: u8) -> Result<(), String> {
        self.skip_space();
        if self.peek() != c {
            return self.fail(&format!("`{}`", c as char));
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, String> {
        if !self.text[self.at..].starts_with(word.as_bytes()) {
            return self.fail(word);
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self) -> Result<Json, String> {
        self.skip_space();
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => Ok(Json::Text(self.string()?)),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Result<Json, String> {
        let negative = self.peek() == b'-';
        if negative {
            self.at += 1;
        }
        if !self.peek().is_ascii_digit() {
            return self.fail("a value");
        }
        let mut n = 0;
        while self.peek().is_ascii_digit() {
            n = n * 10 + (self.peek() - b'0') as i64;
            self.at += 1;
        }
        Ok(Json::Number(if negative { -n } else { n }))
    }

    fn string(&mut self) -> Result<String, String> {
        self.expect(b'"')?;
        let mut out = Vec::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), b'"' | b'\\' | 0) {
                self.at += 1;
            }
            out.extend_from_slice(&self.text[start..self.at]);
            match self.peek() {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    out.push(if self.peek() == b'n' { b'\n' } else { self.peek() });
                    self.at += 1;
                }
                _ => return self.fail("`\"`"),
            }
        }
        self.at += 1;
        String::from_utf8(out).map_err(|it| it.to_string())
    }

    fn array(&mut self) -> Result<Json, String> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() != b']' {
            items.push(self.value()?);
            self.skip_space();
            while self.peek() == b',' {
                self.at += 1;
                items.push(self.value()?);
                self.skip_space();
            }
        }
        self.expect(b']')?;
        Ok(Json::Array(items))
    }

    fn member(&mut self) -> Result<(String, Json), String> {
        self.skip_space();
        let key = self.string()?;
        self.expect(b':')?;
        Ok((key, self.value()?))
    }

    fn object(&mut self) -> Result<Json, String> {
        self.expect(b'{')?;
        let mut members = Vec::new();
        self.skip_space();
        if self.peek() != b'}' {
            members.push(self.member()?);
            self.skip_space();
            while self.peek() == b',' {
                self.at += 1;
                members.push(self.member()?);
                self.skip_space();
            }
        }
        self.expect(b'}')?;
        Ok(Json::Object(members))
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn write_value(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Json::Number(n) => write!(out, "{n}").unwrap(),
        Json::Text(s) => write_string(out, s),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (i, (key, member)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write_value(out, member);
            }
            out.push('}');
        }
    }
}

fn example(n: i64) -> String {
    let mut out = String::from("[\n");
    for i in 0..n {
        if i > 0 {
            out.push_str(",\n");
        }
        write!(
            out,
            "  {{\"id\": {i}, \"name\": \"thing \\\"{}\\\"\", \"tags\": [\"red\", \"a\\\\b\", \"line\\n\"],\
             \x20\"size\": {{\"width\": {}, \"height\": {}}}, \"done\": {}, \"note\": null}}",
            i % 97,
            i % 13,
            -i,
            i % 2 == 0
        )
        .unwrap();
    }
    out.push_str("\n]");
    out
}

fn main() {
    let text = example(60_000);
    let mut total = 0;
    for _ in 0..4 {
        match (Parser { text: text.as_bytes(), at: 0 }).value() {
            Ok(value) => {
                let mut out = String::new();
                write_value(&mut out, &value);
                total += value.sum() + out.len() as i64;
            }
            Err(reason) => println!("{reason}"),
        }
    }
    println!("{total}");
    match (Parser { text: &text.as_bytes()[..text.len() - 20], at: 0 }).value() {
        Ok(_) => println!("that should not be JSON"),
        Err(reason) => println!("{reason}"),
    }
}
