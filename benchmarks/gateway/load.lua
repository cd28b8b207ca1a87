-- Requests for wrk from a file: a secret, a tab and a JSON body a line, in turn, from the first on.
--     wrk ... -s load.lua http://127.0.0.1:8080 -- requests.tsv [mean pause in ms]
-- A pause before each request is drawn evenly from nothing to twice the mean. The last line of the
-- output begins with RESULT and is JSON: requests sent (at most one more than were), answered, with
-- a status of 400 or more, failed, and microseconds.

local threads = {}
local requests = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   sent = 0
   for line in io.lines(args[1]) do
      local secret, body = line:match("^(%S+)\t(.*)$")
      local headers = {
         ["authorization"] = "Bearer " .. secret,
         ["content-type"] = "application/json",
         ["user-agent"] = "benchmark/1.0",
         ["accept"] = "application/json",
      }
      requests[#requests + 1] = wrk.format("POST", "/v1/chat/completions", headers, body)
   end
   local pause = tonumber(args[2] or "0")
   if pause > 0 then
      function delay()
         return math.random(0, math.floor(2 * pause + 0.5))
      end
   end
end

function request()
   sent = sent + 1
   return requests[sent % #requests + 1]
end

function done(summary, latency)
   local sent = 0
   for _, thread in ipairs(threads) do
      sent = sent + thread:get("sent")
   end
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"sent": %d, "answered": %d, "refused": %d, "failed": %d, "microseconds": %d, ' ..
      '"p50": %d, "p99": %d}\n',
      sent, summary.requests, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      summary.duration, latency:percentile(50), latency:percentile(99)
   ))
end
