-- Nobody is to claim these jobs before a time: somebody is about to change them. What is due later stays where it is.
for _, id in ipairs(question.ids) do
  local executor = redis.call('HGET', job_key(id), 'executor')
  if executor then redis.call('ZADD', due_key(executor), 'XX', 'GT', question.hold_until, id) end
end
return answer({})
