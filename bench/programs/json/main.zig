// JSON is parsed into a tree, summed up and printed again.
const std = @import("std");
const gpa = std.heap.smp_allocator;
const Text = std.ArrayList(u8);

const Json = union(enum) {
    nothing,
    boolean: bool,
    number: i64,
    text: []const u8,
    array: std.ArrayList(Json),
    object: std.ArrayList(Member),

    // Of all numbers, and the sizes of all texts.
    fn sum(value: Json) i64 {
        var total: i64 = 0;
        switch (value) {
            .nothing => {},
            .boolean => |b| total = @intFromBool(b),
            .number => |n| total = n,
            .text => |s| total = @intCast(s.len),
            .array => |items| for (items.items) |item| {
                total += item.sum();
            },
            .object => |members| for (members.items) |member| {
                total += @as(i64, @intCast(member.key.len)) + member.value.sum();
            },
        }
        return total;
    }

    fn drop(value: *Json) void {
        switch (value.*) {
            .text => |s| gpa.free(s),
            .array => |*items| {
                for (items.items) |*item| item.drop();
                items.deinit(gpa);
            },
            .object => |*members| {
                for (members.items) |*member| {
                    gpa.free(member.key);
                    member.value.drop();
                }
                members.deinit(gpa);
            },
            else => {},
        }
    }
};

const Member = struct { key: []const u8, value: Json };

const Problem = error{ OutOfMemory, Malformed };

const Parser = struct {
    text: []const u8,
    at: usize = 0,
    expected: []const u8 = "",

    // The byte at hand; 0 behind the end.
    fn peek(p: *const Parser) u8 {
        return if (p.at < p.text.len) p.text[p.at] else 0;
    }

    fn skipSpace(p: *Parser) void {
        while (true) switch (p.peek()) {
            ' ', '\n', '\t', '\r' => p.at += 1,
            else => return,
        };
    }

    fn fail(p: *Parser, expected: []const u8) Problem {
        p.expected = expected;
        return error.Malformed;
    }

    // A sign that must stand here, behind space.
    fn expect(p: *Parser, comptime c: u8) Problem!void {
        p.skipSpace();
        if (p.peek() != c) return p.fail("`" ++ .{c} ++ "`");
        p.at += 1;
    }

    fn word(p: *Parser, comptime text: []const u8, result: Json) Problem!Json {
        if (!std.mem.startsWith(u8, p.text[p.at..], text)) return p.fail(text);
        p.at += text.len;
        return result;
    }

    fn value(p: *Parser) Problem!Json {
        p.skipSpace();
        return switch (p.peek()) {
            '{' => p.object(),
            '[' => p.array(),
            '"' => .{ .text = try p.string() },
            't' => p.word("true", .{ .boolean = true }),
            'f' => p.word("false", .{ .boolean = false }),
            'n' => p.word("null", .nothing),
            else => p.number(),
        };
    }

    fn number(p: *Parser) Problem!Json {
        const negative = p.peek() == '-';
        if (negative) p.at += 1;
        if (!std.ascii.isDigit(p.peek())) return p.fail("a value");
        var n: i64 = 0;
        while (std.ascii.isDigit(p.peek())) : (p.at += 1) n = n * 10 + (p.peek() - '0');
        return .{ .number = if (negative) -n else n };
    }

    fn string(p: *Parser) Problem![]const u8 {
        try p.expect('"');
        var text: Text = .empty;
        errdefer text.deinit(gpa);
        while (true) {
            const start = p.at;
            while (p.peek() != '"' and p.peek() != '\\' and p.peek() != 0) p.at += 1;
            try text.appendSlice(gpa, p.text[start..p.at]);
            if (p.peek() == '"') break;
            if (p.peek() == 0) return p.fail("`\"`");
            p.at += 1;
            try text.append(gpa, if (p.peek() == 'n') '\n' else p.peek());
            p.at += 1;
        }
        p.at += 1;
        return text.toOwnedSlice(gpa);
    }

    fn array(p: *Parser) Problem!Json {
        try p.expect('[');
        var items: std.ArrayList(Json) = .empty;
        p.skipSpace();
        if (p.peek() != ']') {
            while (true) : (p.at += 1) {
                try items.append(gpa, try p.value());
                p.skipSpace();
                if (p.peek() != ',') break;
            }
        }
        try p.expect(']');
        return .{ .array = items };
    }

    fn member(p: *Parser) Problem!Member {
        p.skipSpace();
        const key = try p.string();
        try p.expect(':');
        return .{ .key = key, .value = try p.value() };
    }

    fn object(p: *Parser) Problem!Json {
        try p.expect('{');
        var members: std.ArrayList(Member) = .empty;
        p.skipSpace();
        if (p.peek() != '}') {
            while (true) : (p.at += 1) {
                try members.append(gpa, try p.member());
                p.skipSpace();
                if (p.peek() != ',') break;
            }
        }
        try p.expect('}');
        return .{ .object = members };
    }
};

fn writeString(out: *Text, text: []const u8) !void {
    try out.append(gpa, '"');
    for (text) |c| switch (c) {
        '"' => try out.appendSlice(gpa, "\\\""),
        '\\' => try out.appendSlice(gpa, "\\\\"),
        '\n' => try out.appendSlice(gpa, "\\n"),
        else => try out.append(gpa, c),
    };
    try out.append(gpa, '"');
}

fn write(out: *Text, value: Json) !void {
    switch (value) {
        .nothing => try out.appendSlice(gpa, "null"),
        .boolean => |b| try out.appendSlice(gpa, if (b) "true" else "false"),
        .number => |n| try out.print(gpa, "{d}", .{n}),
        .text => |s| try writeString(out, s),
        .array => |items| {
            try out.append(gpa, '[');
            for (items.items, 0..) |item, i| {
                if (i > 0) try out.append(gpa, ',');
                try write(out, item);
            }
            try out.append(gpa, ']');
        },
        .object => |members| {
            try out.append(gpa, '{');
            for (members.items, 0..) |member, i| {
                if (i > 0) try out.append(gpa, ',');
                try writeString(out, member.key);
                try out.append(gpa, ':');
                try write(out, member.value);
            }
            try out.append(gpa, '}');
        },
    }
}

fn example(n: usize) ![]const u8 {
    var text: Text = .empty;
    try text.appendSlice(gpa, "[\n");
    for (0..n) |i| {
        if (i > 0) try text.appendSlice(gpa, ",\n");
        try text.print(gpa, "  {{\"id\": {d}, \"name\": \"thing \\\"{d}\\\"\", \"tags\": [\"red\", \"a\\\\b\", \"line\\n\"]," ++
            " \"size\": {{\"width\": {d}, \"height\": {d}}}, \"done\": {}, \"note\": null}}", .{
            i, i % 97, i % 13, -@as(i64, @intCast(i)), i % 2 == 0,
        });
    }
    try text.appendSlice(gpa, "\n]");
    return text.items;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const text = try example(60_000);
    var total: i64 = 0;
    for (0..4) |_| {
        var parser: Parser = .{ .text = text };
        var value = try parser.value();
        defer value.drop();
        var printed: Text = .empty;
        defer printed.deinit(gpa);
        try write(&printed, value);
        total += value.sum() + @as(i64, @intCast(printed.items.len));
    }
    try out.print("{d}\n", .{total});
    var parser: Parser = .{ .text = text[0 .. text.len - 20] };
    if (parser.value()) |_| {
        try out.print("that should not be JSON\n", .{});
    } else |_| {
        try out.print("{s} expected at byte {d}\n", .{ parser.expected, parser.at });
    }
    try out.flush();
}
