# Two million integers are sorted by merging, written out.
def sort(v : Array(Int64), work : Array(Int64), from : Int32, to : Int32) : Nil
  return if to - from < 2
  middle = (from + to) // 2
  sort(v, work, from, middle)
  sort(v, work, middle, to)
  a, b = from, middle
  (from...to).each do |i|
    if a < middle && (b >= to || v[a] <= v[b])
      work[i] = v[a]
      a += 1
    else
      work[i] = v[b]
      b += 1
    end
  end
  (from...to).each { |i| v[i] = work[i] }
end

n = 2_000_000
v = [] of Int64
seed = 7_u64
n.times do
  seed = seed &* 6364136223846793005 &+ 1442695040888963407
  v << (seed >> 34).to_i64
end
sort(v, Array.new(n, 0_i64), 0, n)
check = 0_i64
v.each { |x| check = (check * 31 + x) % 1_000_003 }
puts check
