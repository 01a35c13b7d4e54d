"""Writes a Quartz project of about 100,000 lines: `project.py FOLDER [MODULES] [GROUPS]`.

Modules import a few earlier ones, declare structs and enums, and work on them; `main` calls each once.
"""

import sys
from pathlib import Path

GROUP = """
# Orders of kind {g}.
struct Order{g}
  id: Int
  amount: Int
  tags: Vec<String>
end

enum Event{g}
  Opened(Order{g})
  Changed(Int, Int)
  Closed(String)
end

def total{g}(orders: Vec<Order{g}>): Int
  var sum = 0
  for order in orders
    sum += order.amount if order.amount > {g}
  end
  sum
end

def label{g}(order: Order{g}): String
  kind = if order.amount > 100
    "large"
  elsif order.amount > 10
    "medium"
  else
    "small"
  end
  "#{{order.id}}: #{{kind}} (#{{order.tags.join(", ")}})"
end

def apply{g}(orders: Vec<Order{g}>, event: Event{g}): Int
  match event
    Opened(order) =>
      orders.push(order)
      orders.size
    Changed(id, amount) =>
      var changed = 0
      for order in orders
        if order.id == id
          order.amount = amount
          changed += 1
        end
      end
      changed
    Closed(tag) =>
      kept = orders.filter {{ it.tags.contains(tag) }}
      orders.size - kept.size
  end
end

def busiest{g}(orders: Vec<Order{g}>): Order{g}?
  var best: Order{g}? = nil
  var most = -1
  for order in orders
    if order.tags.size > most
      most = order.tags.size
      best = Some(order)
    end
  end
  best
end

def work{g}(start: Int): Int
  orders: Vec<Order{g}> = []
  for n in 0..12
    order = Order{g} {{ id: n, amount: (n * {g} + start) % 97, tags: ["a#{{n}}", "b"] }}
    apply{g}(orders, Opened(order))
  end
  changed = apply{g}(orders, Changed(3, 500))
  closed = apply{g}(orders, Closed("b"))
  names = orders.map {{ label{g}(it) }}
  longest = names.map {{ it.size }}.max ?? 0
  picked = match busiest{g}(orders)
    Some(order) => order.id
    None => 0
  end
  total{g}(orders) + changed + closed + longest + picked{call}
end
"""


def module(m: int, groups: int) -> str:
    earlier = sorted({m // 2, m - 1, m // 3} - {m}) if m else []
    imports = "".join(f"import part{e}\n" for e in earlier if e >= 0)
    text = [f"# Part {m} of the project.\n{imports}"]
    for g in range(groups):
        call = ""
        if earlier and g % 4 == 0:
            call = f" + part{earlier[g // 4 % len(earlier)]}::total0([])"
        text.append(GROUP.format(g=g, call=call))
    sums = "\n".join(f"  sum += work{g}(start + {g})" for g in range(groups))
    text.append(f"\ndef run(start: Int): Int\n  var sum = 0\n{sums}\n  sum\nend\n")
    return "".join(text)


def main() -> None:
    folder = Path(sys.argv[1])
    modules = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    groups = int(sys.argv[3]) if len(sys.argv) > 3 else 19
    folder.mkdir(parents=True, exist_ok=True)
    lines = 0
    for m in range(modules):
        text = module(m, groups)
        lines += text.count("\n")
        (folder / f"part{m}.qz").write_text(text)
    imports = "".join(f"import part{m}\n" for m in range(modules))
    calls = "\n".join(f"  sum += part{m}::run({m})" for m in range(modules))
    (folder / "main.qz").write_text(f"{imports}\ndef main\n  var sum = 0\n{calls}\n  puts(sum)\nend\n")
    print(f"{lines} lines in {modules} modules")


main()
