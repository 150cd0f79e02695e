-- A script that was begun is not undone, and what a user may do can be changed at any time: nothing is begun unless it can be brought to its end.
-- Servers before Redis 7 can't tell; there a right that is taken from a node that lives may leave a script half done.
local may = redis.acl_check_cmd
if may then
  local refused = nil
  each_command(function(command, ...)
    if not may(command, ...) then refused = command end
  end, base, base, base, base, base, key('changed'))
  if refused then
    return redis.error_reply('NOPERM this user may not run ' .. refused .. ', or not on the keys and channels of the store: nothing was done')
  end
end
