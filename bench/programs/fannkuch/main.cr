# Pancakes flipped in every order of the first ten numbers: the Benchmarks Game's fannkuch.
def flips(order : Array(Int64), work : Array(Int64)) : Int64
  order.size.times { |i| work[i] = order[i] }
  count = 0_i64
  while work[0] != 0
    low = 0_i64
    high = work[0]
    while low < high
      work.swap(low, high)
      low += 1
      high -= 1
    end
    count += 1
  end
  count
end

def fannkuch(n : Int64)
  order = Array.new(n) { |i| i.to_i64 }
  work = Array.new(n, 0_i64)
  turns = Array.new(n, 0_i64)
  most = 0_i64
  checksum = 0_i64
  even = true
  r = n
  loop do
    while r != 1
      turns[r - 1] = r
      r -= 1
    end
    count = flips(order, work)
    most = count if count > most
    checksum += even ? count : -count
    even = !even
    loop do
      return {checksum, most} if r == n
      first = order[0]
      r.times { |i| order[i] = order[i + 1] }
      order[r] = first
      turns[r] -= 1
      break if turns[r] > 0
      r += 1
    end
  end
end

puts fannkuch(10).join(" ")
