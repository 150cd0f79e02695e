-- Remove roll-ups of a job that are too old; of a job that isn't there any more, as soon as its runs would be.
local state = redis.call('HGET', job_key(question.id), 'state')
local is_gone = not state or state == ENDING
local rollups = key('rollups:' .. question.id)
local old = {}
for _, field in ipairs(redis.call('HKEYS', rollups)) do
  local span, start = string.match(field, '^(%a+) (.*)$')
  if not span or start < question.before[span] or (is_gone and start < question.gone_before) then old[#old + 1] = field end
end
do_many('HDEL', rollups, old)
if redis.call('EXISTS', rollups) == 0 then redis.call('SREM', key('rolled_up'), question.id) end
return answer({})
