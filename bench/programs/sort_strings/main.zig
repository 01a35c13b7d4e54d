// Half a million strings are sorted by the library.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn before(_: void, a: []const u8, b: []const u8) bool {
    return std.mem.order(u8, a, b) == .lt;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var words: std.ArrayList([]const u8) = .empty;
    var seed: u64 = 3;
    for (0..500_000) |_| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        var word: std.ArrayList(u8) = .empty;
        for (0..4 + (seed >> 60)) |_| {
            seed = seed *% 6364136223846793005 +% 1442695040888963407;
            try word.append(gpa, 'a' + @as(u8, @intCast((seed >> 33) % 26)));
        }
        try words.append(gpa, try word.toOwnedSlice(gpa));
    }
    std.mem.sort([]const u8, words.items, {}, before);
    var check: usize = 0;
    for (words.items) |word| check = (check * 31 + word.len * 256 + word[2]) % 1_000_003;
    const n = words.items.len;
    try out.print("{s} {s} {s} {d}\n", .{ words.items[0], words.items[n / 2], words.items[n - 1], check });
    try out.flush();
}
