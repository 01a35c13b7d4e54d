# JSON is parsed into a tree, summed up and printed again.
class Malformed < Exception
end

alias Json = Nil | Bool | Int64 | String | Array(Json) | Array(Member)

struct Member
  getter key : String
  getter value : Json

  def initialize(@key, @value)
  end
end

# Of all numbers, and the sizes of all texts.
def sum_of(value : Json) : Int64
  case value
  in Nil    then 0_i64
  in Bool   then value ? 1_i64 : 0_i64
  in Int64  then value
  in String then value.bytesize.to_i64
  in Array(Json)
    value.sum(0_i64) { |item| sum_of(item) }
  in Array(Member)
    value.sum(0_i64) { |member| member.key.bytesize + sum_of(member.value) }
  end
end

class Parser
  def initialize(@text : Bytes)
    @at = 0
  end

  # The byte at hand; 0 behind the end.
  def peek : Char
    @at < @text.size ? @text[@at].unsafe_chr : '\0'
  end

  def skip_space
    while peek.in?(' ', '\n', '\t', '\r')
      @at += 1
    end
  end

  def fail(what : String) : NoReturn
    raise Malformed.new("#{what} expected at byte #{@at}")
  end

  # A sign that must stand here, behind space.
  def expect(c : Char)
    skip_space
    fail("`#{c}`") if peek != c
    @at += 1
  end

  def word(word : String, value : Json) : Json
    stop = @at + word.bytesize
    fail(word) if stop > @text.size || @text[@at, word.bytesize] != word.to_slice
    @at = stop
    value
  end

  def value : Json
    skip_space
    case peek
    when '{' then object
    when '[' then array
    when '"' then string
    when 't' then word("true", true)
    when 'f' then word("false", false)
    when 'n' then word("null", nil)
    else          number
    end
  end

  def number : Int64
    negative = peek == '-'
    @at += 1 if negative
    fail("a value") unless peek.ascii_number?
    n = 0_i64
    while peek.ascii_number?
      n = n * 10 + (peek - '0')
      @at += 1
    end
    negative ? -n : n
  end

  def string : String
    expect('"')
    text = String.build do |io|
      loop do
        start = @at
        while !peek.in?('"', '\\', '\0')
          @at += 1
        end
        io.write(@text[start...@at])
        case peek
        when '"' then break
        when '\\'
          @at += 1
          io << (peek == 'n' ? '\n' : peek)
          @at += 1
        else fail("`\"`")
        end
      end
    end
    @at += 1
    text
  end

  def array : Array(Json)
    expect('[')
    items = [] of Json
    skip_space
    if peek != ']'
      items << value
      skip_space
      while peek == ','
        @at += 1
        items << value
        skip_space
      end
    end
    expect(']')
    items
  end

  def member : Member
    skip_space
    key = string
    expect(':')
    Member.new(key, value)
  end

  def object : Array(Member)
    expect('{')
    members = [] of Member
    skip_space
    if peek != '}'
      members << member
      skip_space
      while peek == ','
        @at += 1
        members << member
        skip_space
      end
    end
    expect('}')
    members
  end
end

def write_string(io : IO, text : String)
  io << '"'
  text.each_char do |c|
    case c
    when '"'  then io << "\\\""
    when '\\' then io << "\\\\"
    when '\n' then io << "\\n"
    else           io << c
    end
  end
  io << '"'
end

def write(io : IO, value : Json) : Nil
  case value
  in Nil    then io << "null"
  in Bool   then io << value
  in Int64  then io << value
  in String then write_string(io, value)
  in Array(Json)
    io << '['
    value.each_with_index do |item, i|
      io << ',' if i > 0
      write(io, item)
    end
    io << ']'
  in Array(Member)
    io << '{'
    value.each_with_index do |member, i|
      io << ',' if i > 0
      write_string(io, member.key)
      io << ':'
      write(io, member.value)
    end
    io << '}'
  end
end

def example(n : Int32) : String
  String.build do |io|
    io << "[\n"
    n.times do |i|
      io << ",\n" if i > 0
      io << "  {\"id\": #{i}, \"name\": \"thing \\\"#{i % 97}\\\"\", \"tags\": [\"red\", \"a\\\\b\", \"line\\n\"],"
      io << " \"size\": {\"width\": #{i % 13}, \"height\": #{-i}}, \"done\": #{i % 2 == 0}, \"note\": null}"
    end
    io << "\n]"
  end
end

text = example(60_000).to_slice
total = 0_i64
4.times do
  value = Parser.new(text).value
  printed = String.build { |io| write(io, value) }
  total += sum_of(value) + printed.bytesize
end
puts total
begin
  Parser.new(text[0, text.size - 20]).value
  puts "that should not be JSON"
rescue reason : Malformed
  puts reason.message
end
