# In how many ways thirteen queens stand on a board without seeing each other.
def place(row : Int32, n : Int32, columns : Array(Bool), rising : Array(Bool), falling : Array(Bool)) : Int64
  return 1_i64 if row == n
  ways = 0_i64
  n.times do |c|
    unless columns[c] || rising[row + c] || falling[row - c + n]
      columns[c] = true
      rising[row + c] = true
      falling[row - c + n] = true
      ways += place(row + 1, n, columns, rising, falling)
      columns[c] = false
      rising[row + c] = false
      falling[row - c + n] = false
    end
  end
  ways
end

n = 13
puts place(0, n, Array.new(n, false), Array.new(n * 2, false), Array.new(n * 2, false))
