-- Try each command of the other scripts once, on keys that hold nothing afterwards; those that the server refuses, each with what it says.
local refused = {}
local function try(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) == 'table' and answer.err then refused[#refused + 1] = { command, answer.err } end
end
each_command(try, KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[1])
return cjson.encode(refused)
