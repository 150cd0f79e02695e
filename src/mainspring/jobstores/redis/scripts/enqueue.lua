-- Queue runs of jobs that are there.
for _, run in ipairs(question.queue) do
  local state = redis.call('HGET', job_key(run.job_id), 'state')
  if not state or state == ENDING then return answer({ unknown = run.job_id }) end
end
local new = {}
for at, run in ipairs(question.queue) do
  if enqueue(run) then new[#new + 1] = at - 1 end
end
tell()
return answer({ new = new })
