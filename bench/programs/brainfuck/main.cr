# An interpreter of eight instructions on a tape of bytes, at work on nested loops that count, multiply and print.
enum Kind
  Move
  Add
  Print
  Open
  Close
end

struct Op
  getter kind : Kind
  # By how much, or where the matching bracket stands.
  getter n : Int32

  def initialize(@kind, @n)
  end
end

# Runs of `+`, `-`, `<` and `>` become one instruction each.
def parse(source : String) : Array(Op)
  ops = [] of Op
  opened = [] of Int32
  source.each_char do |c|
    case c
    when '>' then push_run(ops, Kind::Move, 1)
    when '<' then push_run(ops, Kind::Move, -1)
    when '+' then push_run(ops, Kind::Add, 1)
    when '-' then push_run(ops, Kind::Add, -1)
    when '.' then ops << Op.new(:print, 0)
    when '['
      opened << ops.size
      ops << Op.new(:open, 0)
    when ']'
      start = opened.pop
      ops[start] = Op.new(:open, ops.size)
      ops << Op.new(:close, start)
    end
  end
  ops
end

def push_run(ops : Array(Op), kind : Kind, by : Int32)
  if (last = ops.last?) && last.kind == kind
    ops[-1] = Op.new(kind, last.n + by)
  else
    ops << Op.new(kind, by)
  end
end

# What a program prints.
def run(ops : Array(Op)) : String
  tape = Array.new(30_000, 0_u8)
  head = 0
  at = 0
  String.build do |io|
    while at < ops.size
      op = ops[at]
      case op.kind
      in .move?  then head += op.n
      in .add?   then tape[head] &+= op.n.to_u8!
      in .print? then io << tape[head].chr
      in .open?  then at = op.n if tape[head] == 0
      in .close? then at = op.n if tape[head] != 0
      end
      at += 1
    end
  end
end

# The letters from the last to the first, each of which waits for loops in loops.
PROGRAM = ">++[<+++++++++++++>-]<[[>+>+<<-]>[<+>-]++++++++[>++++++++<-]>.[-]<<>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++++++++++++++++++++++[-]<-]<-]<-]<-]<-]<-]++++++++++."

print run(parse(PROGRAM))
