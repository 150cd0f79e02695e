-- A page of ended runs, by their names, latest first: of a job, or of all; those with an outcome alone, if one is asked for.
local wanted = question.outcome and ('"outcome":"' .. question.outcome .. '"')
local names
if question.job_id then
  names = redis.call('ZREVRANGEBYSCORE', runs_key(question.job_id), '+inf', question.since, 'LIMIT', question.from, question.count)
  for at, member in ipairs(names) do names[at] = question.job_id .. '/' .. member end
else
  names = redis.call('ZREVRANGEBYSCORE', key('history'), '+inf', question.since, 'LIMIT', question.from, question.count)
end
local runs = {}
for at, text in ipairs(ask_many('HMGET', key('ended'), names)) do
  if text and (not wanted or string.find(text, wanted, 1, true)) then runs[#runs + 1] = { names[at], text } end
end
return answer({ read = #names, runs = runs[1] and runs or false })
