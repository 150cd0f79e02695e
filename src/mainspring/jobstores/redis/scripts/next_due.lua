-- When the first job is due that isn't set aside, of those with one of these executors.
local function next_due()
  local aside = {}
  for _, id in ipairs(question.set_aside) do aside[id] = true end
  local first = nil
  for _, executor in ipairs(question.executors) do
    local due = redis.call('ZRANGE', due_key(executor), 0, #question.set_aside, 'WITHSCORES')
    for at = 1, #due, 2 do
      if not aside[due[at]] then
        if first == nil or tonumber(due[at + 1]) < tonumber(first) then first = due[at + 1] end
        break
      end
    end
  end
  return first or false
end
