// Text is put together from pieces and numbers, then read byte by byte.
const std = @import("std");
const gpa = std.heap.smp_allocator;

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var total: usize = 0;
    for (0..5) |round| {
        var text: std.ArrayList(u8) = .empty;
        defer text.deinit(gpa);
        for (0..1_000_000) |i| {
            try text.appendSlice(gpa, "item ");
            try text.print(gpa, "{d}", .{i + round});
            try text.appendSlice(gpa, if (i % 2 == 0) ", even\n" else ", odd\n");
        }
        var sum: usize = 0;
        for (text.items) |byte| sum = (sum * 31 + byte) % 1_000_003;
        total += sum + text.items.len;
    }
    try out.print("{d}\n", .{total});
    try out.flush();
}
