-- End a queued run, or ask the node that runs it to cancel it.
local run = question.run
local text = take_from_queue(run.job_id, run.name)
if text then
  put_history(run.name, run.scheduled, joined(text, run.outcome))
  drop_if_ended(run.job_id)
  note()
  return answer({ found = true })
end
for _, token in ipairs(holders()) do
  if redis.call('HEXISTS', active_key(token), run.name) == 1 then
    redis.call('SADD', key('to_cancel:' .. token), run.name)
    note()
    tell()
    return answer({ found = true })
  end
end
return answer({ found = false })
