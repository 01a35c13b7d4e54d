//! Projects of any size, made of modules as people write them: types with methods, traits, generic
//! functions, closures, matches, comments, imports of one another.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// Writes a project of about so many lines. Gives how many there are.
pub(crate) fn write_project(folder: &Path, lines: usize) -> io::Result<usize> {
    let modules = (lines / LINES_PER_MODULE).max(1);
    std::fs::create_dir_all(folder)?;
    let mut total = 0;
    let mut main = String::new();
    for n in 0..modules {
        let text = module(n);
        total += text.lines().count();
        std::fs::write(folder.join(format!("{}.qz", name_of(n))), text)?;
        let _ = writeln!(main, "import {}", name_of(n));
    }
    main += "\ndef main\n  var total = 0\n";
    for n in 0..modules {
        let _ = writeln!(main, "  total += {}::report(10).size", name_of(n));
    }
    main += "  puts(total)\nend\n";
    total += main.lines().count();
    std::fs::write(folder.join("main.qz"), main)?;
    Ok(total)
}

fn name_of(n: usize) -> String {
    format!("part_{n}")
}

/// Lines in what [`module`] makes.
const LINES_PER_MODULE: usize = 145;

/// A module about one kind of thing in a shop. It imports the one before, so that chains and forests of
/// imports both occur.
fn module(n: usize) -> String {
    let things = ["Order", "Invoice", "Parcel", "Account", "Booking", "Ticket"];
    let thing = things[n % things.len()];
    let import = match n % 8 {
        0 => String::new(),
        _ => format!("import distance_{} from {}\n", n - 1, name_of(n - 1)),
    };
    let reuse = match n % 8 {
        0 => "(a.weight - b.weight).abs()".to_owned(),
        _ => format!("distance_{}(a.weight, b.weight)", n - 1),
    };
    TEMPLATE
        .replace("{import}", &import)
        .replace("{reuse}", &reuse)
        .replace("{Thing}", &format!("{thing}{n}"))
        .replace("{n}", &n.to_string())
        .replace("{limit}", &(100 + n % 37).to_string())
}

const TEMPLATE: &str = r##"##! Things that are weighed, priced and sent, number {limit}.
{import}
const LIMIT = {limit}

## Where a thing stands.
enum {Thing}State
  Open
  Paid(amount: Int)
  Sent(carrier: String, days: Int)
  Failed(String)

  ## Whether nothing more will happen.
  def final?(self): Bool
    match self
      Sent(_, days) => days > 2
      Failed(_) => true
      _ => false
    end
  end
end

## One thing with what is known about it.
struct {Thing}
  id: Int
  name: String
  weight: F64
  price: Int = 10
  tags: Vec<String>
  state: {Thing}State

  def cost(self): Int
    base = self.price * (self.weight as Int)
    extra = if self.tags.contains("fragile") then 7 else 0 end
    base + extra
  end

  def label(self): String = "#{self.name}/#{self.id} (#{self.cost()})"
end

## What can be put on a scale.
trait {Thing}Scale
  def load(self): F64

  def heavy?(self): Bool = self.load() > 50.0
end

impl {Thing}Scale for {Thing}
  def load(self): F64 = self.weight * 1.5
end

## The part of a list for which a test holds, doubled.
def doubled_where<T: Clone>(list: Vec<T>, test: Fn(T): Bool): Vec<T>
  out = Vec<T>.new()
  for item in list
    next unless test(item)
    out << item
    out << item.clone()
  end
  out
end

def distance_{n}(a: F64, b: F64): F64
  if a > b then a - b else b - a end
end

def closest(list: Vec<{Thing}>, to: {Thing}): {Thing}?
  var best: {Thing}? = nil
  var least = 1e9
  for candidate in list
    a = candidate
    b = to
    next if a.id == b.id
    far = {reuse}
    if far < least
      least = far
      best = Some(candidate)
    end
  end
  best
end

def parse_state(text: String): Result<{Thing}State, String>
  parts = text.split(":")
  match parts.get(0) ?? ""
    "open" => Ok({Thing}State::Open)
    "paid" =>
      amount = parts.get(1).ok_or("no amount")?
      value = amount.to_int().ok_or("not a number: #{amount}")?
      Ok({Thing}State::Paid(value))
    "sent" =>
      carrier = parts.get(1).ok_or("no carrier")?
      Ok({Thing}State::Sent(carrier, parts.size))
    other => Err("unknown state #{other}")
  end
end

def make(id: Int, text: String): Result<{Thing}, String>
  state = parse_state(text)?
  Ok({Thing} {
    id,
    name: "thing #{id}",
    weight: (id % 13) as F64 + 0.5,
    tags: if id % 3 == 0 then ["fragile"] else [] end,
    state,
  })
end

def totals(list: Vec<{Thing}>): Map<String, Int>
  sums = Map<String, Int>.new()
  for thing in list
    key = match thing.state
      Open => "open"
      Paid(amount) if amount > LIMIT => "rich"
      Paid(_) => "paid"
      Sent(carrier, _) => carrier
      Failed(reason) => reason
    end
    sums.update(key, 0) { it + thing.cost() }
  end
  sums
end

def report(count: Int): String
  texts = ["open", "paid:#{LIMIT + 5}", "sent:post:3", "lost", "paid:x"]
  list = Vec<{Thing}>.new()
  var failed = 0
  for i in 0..count
    match make(i, texts[i % texts.size])
      Ok(thing) => list << thing
      Err(_) => failed += 1
    end
  end
  heavy = doubled_where(list) { it.heavy?() }
  names = list.filter { not it.state.final?() }.map { it.label() }.join(", ")
  near = if closest(list, list[0]) is Some(found) then found.id else -1 end
  out = StringBuilder.new()
  out.append_line("#{list.size} things, #{failed} failed, #{heavy.size} heavy")
  out.append_line(names)
  for key, sum in totals(list)
    out.append_line("#{key}: #{sum}") if sum > 0
  end
  out.append_line("closest: #{near}")
  out.to_string()
end
"##;
