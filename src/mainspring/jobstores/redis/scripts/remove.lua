-- Remove one job, or all.
if question.id then
  if redis.call('EXISTS', job_key(question.id)) == 0 or redis.call('HGET', job_key(question.id), 'state') == ENDING then
    return answer({ found = false })
  end
  forget_job(question.id)
  disown(question.id, question.skipped)
  note()
else
  for _, id in ipairs(redis.call('SMEMBERS', key('ids'))) do
    forget_job(id)
    disown(id, question.skipped)
  end
end
return answer({ found = true })
