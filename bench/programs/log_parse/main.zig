// A server's log is taken apart line by line, without regular expressions, and summed up.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const Usage = struct { requests: i64 = 0, bytes: i64 = 0, failures: i64 = 0, slowest: i64 = 0 };

const Entry = struct { hour: usize, path: []const u8, status: i64, bytes: i64, micros: i64 };

// `2026-03-14T12:34:56 host-7 GET /items/31?page=2 200 5321 812us`
fn parse(line: []const u8) ?Entry {
    var fields: [7][]const u8 = undefined;
    var count: usize = 0;
    var words = std.mem.splitScalar(u8, line, ' ');
    while (words.next()) |word| : (count += 1) {
        if (count == fields.len) return null;
        fields[count] = word;
    }
    if (count != fields.len or fields[0].len < 13 or !std.mem.endsWith(u8, fields[6], "us")) return null;
    const query = std.mem.indexOfScalar(u8, fields[3], '?') orelse fields[3].len;
    return .{
        .hour = std.fmt.parseInt(usize, fields[0][11..13], 10) catch return null,
        .path = fields[3][0..query],
        .status = std.fmt.parseInt(i64, fields[4], 10) catch return null,
        .bytes = std.fmt.parseInt(i64, fields[5], 10) catch return null,
        .micros = std.fmt.parseInt(i64, fields[6][0 .. fields[6].len - 2], 10) catch return null,
    };
}

fn example(lines: u64) ![]const u8 {
    var text: std.ArrayList(u8) = .empty;
    var seed: u64 = 11;
    for (0..lines) |i| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        const x = seed >> 33;
        if (x % 100 == 7) {
            try text.appendSlice(gpa, "# rotated\n");
            continue;
        }
        const status: u64 = if (x % 17 == 0) 500 else if (x % 5 == 0) 404 else 200;
        const head = .{ i * 24 / lines, x % 8, x % 1000 };
        try text.print(gpa, "2026-03-14T{d:0>2}:34:56 host-{d} GET /items/{d}", head);
        if (x % 3 == 0) try text.print(gpa, "?page={d}", .{x % 9});
        try text.print(gpa, " {d} {d} {d}us\n", .{ status, x % 10_000, x % 2_000_000 / 7 });
    }
    return text.items;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const text = try example(1_000_000);
    var usage: std.StringHashMapUnmanaged(Usage) = .empty;
    var per_hour: [24]i64 = @splat(0);
    var skipped: i64 = 0;
    var lines = std.mem.splitScalar(u8, text, '\n');
    while (lines.next()) |line| {
        const entry = parse(line) orelse {
            skipped += 1;
            continue;
        };
        per_hour[entry.hour] += 1;
        const known = (try usage.getOrPutValue(gpa, entry.path, .{})).value_ptr;
        known.requests += 1;
        known.bytes += entry.bytes;
        if (entry.status >= 400) known.failures += 1;
        known.slowest = @max(known.slowest, entry.micros);
    }
    var worst: []const u8 = "";
    var it: Usage = .{};
    var bytes: i64 = 0;
    var entries = usage.iterator();
    while (entries.next()) |entry| {
        const path, const one = .{ entry.key_ptr.*, entry.value_ptr.* };
        bytes += one.bytes;
        if (one.failures > it.failures or (one.failures == it.failures and std.mem.order(u8, path, worst) == .lt)) {
            worst = path;
            it = one;
        }
    }
    try out.print("{d} paths, {d} bytes, {d} lines skipped, {d} in the last hour\n", .{ usage.count(), bytes, skipped, per_hour[23] });
    try out.print("{s}: {d} of {d} failed, the slowest took {d} us\n", .{ worst, it.failures, it.requests, it.slowest });
    try out.flush();
}
