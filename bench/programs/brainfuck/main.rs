// An interpreter of eight instructions on a tape of bytes, at work on nested loops that count, multiply and print.
enum Op {
    Move(i64),
    Add(i64),
    Print,
    // Where the matching bracket stands.
    Open(usize),
    Close(usize),
}

// Runs of `+`, `-`, `<` and `>` become one instruction each.
fn parse(source: &str) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut opened = Vec::new();
    for c in source.chars() {
        match c {
            '>' => push_move(&mut ops, 1),
            '<' => push_move(&mut ops, -1),
            '+' => push_add(&mut ops, 1),
            '-' => push_add(&mut ops, -1),
            '.' => ops.push(Op::Print),
            '[' => {
                opened.push(ops.len());
                ops.push(Op::Open(0));
            }
            ']' => {
                let start: usize = opened.pop().expect("a `]` was never opened");
                ops[start] = Op::Open(ops.len());
                ops.push(Op::Close(start));
            }
            _ => (),
        }
    }
    ops
}

fn push_move(ops: &mut Vec<Op>, by: i64) {
    match ops.last_mut() {
        Some(Op::Move(n)) => *n += by,
        _ => ops.push(Op::Move(by)),
    }
}

fn push_add(ops: &mut Vec<Op>, by: i64) {
    match ops.last_mut() {
        Some(Op::Add(n)) => *n += by,
        _ => ops.push(Op::Add(by)),
    }
}

// What a program prints.
fn run(ops: &[Op]) -> String {
    let mut tape = vec![0u8; 30_000];
    let mut out = String::new();
    let (mut head, mut at) = (0i64, 0);
    while at < ops.len() {
        match ops[at] {
            Op::Move(n) => head += n,
            Op::Add(n) => tape[head as usize] = tape[head as usize].wrapping_add(n as u8),
            Op::Print => out.push(tape[head as usize] as char),
            Op::Open(close) if tape[head as usize] == 0 => at = close,
            Op::Close(open) if tape[head as usize] != 0 => at = open,
            _ => (),
        }
        at += 1;
    }
    out
}

// The letters from the last to the first, each of which waits for loops in loops.
const PROGRAM: &str = ">++[<+++++++++++++>-]<[[>+>+<<-]>[<+>-]++++++++[>++++++++<-]>.[-]<<>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++++++++++++++++++++++[-]<-]<-]<-]<-]<-]<-]++++++++++.";

fn main() {
    print!("{}", run(&parse(PROGRAM)));
}
