-- Keep these jobs with marks of what has become of them, and marks of others: all, or none if a mark isn't as it was read, or a job is there.
-- question.ids, question.outcomes, question.seen: of each mark its job, what it is to be, and what it was: '' if it wasn't there.
local marks = key('adopted:' .. question.source)
for at, outcome in ipairs(ask_many('HMGET', marks, question.ids)) do
  -- That all is there may have been said by another node.
  if question.ids[at] ~= '' and (outcome or '') ~= question.seen[at] then return answer({ is_stale = true }) end
end
local taken = put_new_jobs(question.jobs)
if taken then return answer({ is_stale = true }) end
local written = {}
for at, id in ipairs(question.ids) do
  written[#written + 1] = id
  written[#written + 1] = question.outcomes[at]
end
do_many('HSET', marks, written)
note()
tell()
return answer({})
