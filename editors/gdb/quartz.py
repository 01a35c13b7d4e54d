"""Shows values of Quartz programs in gdb as they stand in the source.

Use it by `source quartz.py` in gdb or in `~/.gdbinit`. Programs built with `quartz build -g` describe their types;
this file knows what is in the library's: strings, vectors, maps, sets, options.
"""

import gdb
import gdb.printing

# What is read from a value that is garbage must end.
LIMIT = 200
SMALLEST_ADDRESS = 4096


def named(type):
    """The name a type has in the source, or None: of a reference it is the name for the pointer."""
    return type.name if type.code in (gdb.TYPE_CODE_TYPEDEF, gdb.TYPE_CODE_STRUCT) else None


def target_of(value):
    """What a reference leads to, or None where that cannot be."""
    plain = value.type.strip_typedefs()
    if plain.code != gdb.TYPE_CODE_PTR:
        return None
    if int(value) < SMALLEST_ADDRESS:
        return None
    return value.dereference()


def text_of(value):
    """The Python string of a String, or of what is left of one."""
    target = target_of(value)
    if target is None:
        return "<no value>"
    size = int(target["size"])
    if size > 1 << 32:
        return "<no value>"
    shown = min(size, 4 * LIMIT)
    if shown == 0:
        return ""
    data = gdb.selected_inferior().read_memory(int(target["bytes"]), shown).tobytes()
    text = data.decode("utf-8", "replace")
    return text + ("…" if shown < size else "")


def quoted(text):
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


class StringPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        try:
            return quoted(text_of(self.value))
        except gdb.MemoryError:
            return "<no value>"


class CharPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        code = int(self.value)
        return f"'{chr(code)}'" if code < 0x110000 else f"<no character: {code}>"


class VecPrinter:
    def __init__(self, value):
        self.value = value
        self.target = target_of(value)

    def size(self):
        return 0 if self.target is None else int(self.target["len"])

    def to_string(self):
        return "<no value>" if self.target is None else f"{named(self.value.type)} of {self.size()}"

    def children(self):
        data = None if self.target is None else self.target["data"]
        for i in range(max(0, min(self.size(), LIMIT))):
            yield str(i), (data + i).dereference()

    def display_hint(self):
        return "array"


class MapPrinter:
    def __init__(self, value):
        self.value = value
        self.target = target_of(value)

    def to_string(self):
        if self.target is None:
            return "<no value>"
        return f"{named(self.value.type)} of {int(self.target['live'])}"

    def entries(self):
        """Key and value of each entry that is alive."""
        if self.target is None:
            return
        entries, dead = self.target["entries"], self.target["dead"]
        # A key at the start, its value behind it where that may stand (`entry_size` in std/map.qz).
        parts = {field.name: field.type for field in entries.type.target().strip_typedefs().fields()}
        key_type, value_type = parts["0"], parts.get("1")
        end, align = key_type.sizeof, max(key_type.strip_typedefs().alignof, 1)
        value_at = 0
        if value_type is not None:
            value_align = max(value_type.strip_typedefs().alignof, 1)
            value_at = (end + value_align - 1) // value_align * value_align
            end, align = value_at + value_type.sizeof, max(align, value_align)
        step = (end + align - 1) // align * align
        for i in range(max(0, min(int(self.target["used"]), LIMIT))):
            if int(dead) != 0 and int((dead + i).dereference()) != 0:
                continue
            at = int(entries) + i * step
            key = gdb.Value(at).cast(key_type.pointer()).dereference()
            value = None if value_type is None else gdb.Value(at + value_at).cast(value_type.pointer()).dereference()
            yield key, value

    def children(self):
        for n, (key, value) in enumerate(self.entries()):
            yield f"key{n}", key
            yield f"value{n}", value

    def display_hint(self):
        return "map"


class SetPrinter:
    def __init__(self, value):
        self.value = value
        self.target = target_of(value)

    def entries(self):
        return [] if self.target is None else list(MapPrinter(self.target["map"]).entries())

    def to_string(self):
        return "<no value>" if self.target is None else f"{named(self.value.type)} of {len(self.entries())}"

    def children(self):
        for n, (key, _) in enumerate(self.entries()):
            yield str(n), key

    def display_hint(self):
        return "array"


def fields_of(struct):
    """The fields that the user declared: no header, no tag."""
    return [f for f in struct.type.fields() if f.name and not f.name.startswith("$")]


class FieldsPrinter:
    """A struct or a tuple: its name and its fields."""

    def __init__(self, value, name, struct):
        self.name = name
        self.struct = struct

    def to_string(self):
        return self.name

    def children(self):
        if self.struct is not None:
            for field in fields_of(self.struct):
                yield field.name, self.struct[field]


class VariantPrinter:
    """An enum: the variant that is there, with its fields."""

    def __init__(self, struct, immediate=None):
        self.payload = None
        self.name = immediate
        if struct is not None:
            variants = [f for f in fields_of(struct) if f.type.code == gdb.TYPE_CODE_STRUCT and "::" in str(f.type.name)]
            if variants:
                self.name = variants[0].name
                self.payload = struct[variants[0]]

    def to_string(self):
        fields = [] if self.payload is None else self.payload.type.fields()
        # A variant whose fields have no names reads as a call of it.
        if fields and all(f.name.isdigit() for f in fields):
            shown = ", ".join(self.payload[f].format_string() for f in fields)
            return f"{self.name}({shown})"
        return str(self.name)

    def children(self):
        fields = [] if self.payload is None else self.payload.type.fields()
        if not (fields and all(f.name.isdigit() for f in fields)):
            for field in fields:
                yield field.name, self.payload[field]


def immediate_of(cell, number):
    """The variant without fields that a small number stands for: they are counted in their order."""
    names = []
    for field in cell.fields():
        if field.type.code == gdb.TYPE_CODE_STRUCT and "::" in str(field.type.name) and not field.type.fields():
            names.append(field.name)
    return names[number] if 0 <= number < len(names) else "<no value>"


def is_enum(struct_type):
    return any(f.type.code == gdb.TYPE_CODE_STRUCT and f.type.name and "::" in f.type.name
               and f.type.name.endswith("::" + str(f.name)) for f in struct_type.fields())


def has_fields(kind, *names):
    """Whether an object is the library's: a program may have types of the same names."""
    known = [f.name for f in kind.fields()]
    return all(name in known for name in names)


def reference_printer(value, name):
    target = target_of(value)
    kind = value.type.strip_typedefs().target()
    kind_name = kind.name or ""
    if kind_name.endswith(".cell"):
        if target is None:
            return VariantPrinter(None, immediate_of(kind, int(value)))
        return VariantPrinter(target)
    if name == "String":
        return StringPrinter(value)
    if name.startswith("Vec<") and has_fields(kind, "data", "len"):
        return VecPrinter(value)
    if name.startswith("Map<") and has_fields(kind, "entries", "dead", "used", "live"):
        return MapPrinter(value)
    if name.startswith("Set<") and has_fields(kind, "map"):
        return SetPrinter(value)
    if name.startswith("Fn("):
        return None
    if kind_name.endswith(".object"):
        return FieldsPrinter(value, name if target is not None else "<no value>", target)
    return None


class QuartzPrinters(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__("quartz")

    def __call__(self, value):
        type = value.type.unqualified()
        name = named(type)
        if type.code == gdb.TYPE_CODE_TYPEDEF and type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            target = type.strip_typedefs().target().name or ""
            if target.endswith((".object", ".cell")):
                return reference_printer(value, name)
            return None
        if type.code == gdb.TYPE_CODE_CHAR and type.name == "Char":
            return CharPrinter(value)
        if type.code != gdb.TYPE_CODE_STRUCT or name is None:
            return None
        unit = gdb.selected_frame().find_sal().symtab if has_frame() else None
        if unit is not None and not unit.filename.endswith(".qz"):
            return None
        if name == "()":
            return None
        if is_enum(type):
            return VariantPrinter(value)
        if name.startswith("(") and type.fields():
            return FieldsPrinter(value, "", value)
        return None


def has_frame():
    try:
        gdb.selected_frame()
        return True
    except gdb.error:
        return False


gdb.printing.register_pretty_printer(None, QuartzPrinters(), replace=True)
