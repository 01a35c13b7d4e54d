# A server's log is taken apart line by line, without regular expressions, and summed up.
class Usage
  property requests = 0_i64
  property bytes = 0_i64
  property failures = 0_i64
  property slowest = 0_i64
end

record Entry, hour : Int64, path : String, status : Int64, bytes : Int64, micros : Int64

# `2026-03-14T12:34:56 host-7 GET /items/31?page=2 200 5321 812us`
def parse(line : String) : Entry?
  fields = line.split(' ')
  return nil if fields.size != 7
  path = fields[3].partition('?')[0]
  return nil unless fields[6].ends_with?("us")
  hour = fields[0].byte_slice(11, 2).to_i64?
  status = fields[4].to_i64?
  bytes = fields[5].to_i64?
  micros = fields[6].rchop("us").to_i64?
  return nil unless hour && status && bytes && micros
  Entry.new(hour, path, status, bytes, micros)
end

def example(lines : Int64) : String
  seed = 11_u64
  String.build do |io|
    lines.times do |i|
      seed = seed &* 6364136223846793005 &+ 1442695040888963407
      x = (seed >> 33).to_i64
      if x % 100 == 7
        io << "# rotated\n"
        next
      end
      status = x % 17 == 0 ? 500 : x % 5 == 0 ? 404 : 200
      io << "2026-03-14T"
      io << "0" if i * 24 // lines < 10
      io << i * 24 // lines << ":34:56 host-" << x % 8 << " GET /items/" << x % 1000
      io << "?page=" << x % 9 if x % 3 == 0
      io << " " << status << " " << x % 10_000 << " " << x % 2_000_000 // 7 << "us\n"
    end
  end
end

usage = {} of String => Usage
per_hour = Array.new(24, 0_i64)
skipped = 0_i64
example(1_000_000_i64).split('\n') do |line|
  if entry = parse(line)
    per_hour[entry.hour] += 1
    known = (usage[entry.path] ||= Usage.new)
    known.requests += 1
    known.bytes += entry.bytes
    known.failures += 1 if entry.status >= 400
    known.slowest = Math.max(known.slowest, entry.micros)
  else
    skipped += 1
  end
end
worst = ""
failures = 0_i64
bytes = 0_i64
usage.each do |path, it|
  bytes += it.bytes
  if it.failures > failures || (it.failures == failures && path < worst)
    failures = it.failures
    worst = path
  end
end
puts "#{usage.size} paths, #{bytes} bytes, #{skipped} lines skipped, #{per_hour[23]} in the last hour"
it = usage[worst]
puts "#{worst}: #{it.failures} of #{it.requests} failed, the slowest took #{it.slowest} us"
