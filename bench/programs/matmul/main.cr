# Two matrices of floats are multiplied, row by row.
def matrix(n : Int32, seed : Float64)
  Array.new(n) { |i| Array.new(n) { |j| seed * (i - j) * (i + j) } }
end

def multiply(a, b)
  n = a.size
  Array.new(n) do |i|
    row = Array.new(n, 0.0)
    n.times do |k|
      x = a[i][k]
      from = b[k]
      n.times { |j| row[j] += x * from[j] }
    end
    row
  end
end

n = 900
c = multiply(matrix(n, 1.0 / n), matrix(n, 2.0 / n))
printf("%.6f\n", c[n // 2][n // 2])
