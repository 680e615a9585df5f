-- The language server in Neovim (0.7 and later) over stdio: diagnostics, hover and a code action on the open buffer.
-- Prints a line for each check and ends with the counts; the exit status is 1 when one failed.
local passed, failed = 0, 0
-- Only ends what hangs, in milliseconds.
local limit = 120000

local function check(name, test)
  local ok, problem = pcall(test)
  if ok then passed = passed + 1 else failed = failed + 1 end
  io.stdout:write((ok and 'ok      ' or 'FAILED  ') .. name .. (ok and '' or ': ' .. tostring(problem)) .. '\n')
end

local buffer = vim.api.nvim_get_current_buf()
vim.bo[buffer].filetype = 'c'
local client_id = vim.lsp.start_client({
  name = 'vfio-lifecycle',
  cmd = { vim.env.SERVER_NODE, vim.env.SERVER, '--stdio' },
  root_dir = vim.fn.getcwd(),
})
vim.lsp.buf_attach_client(buffer, client_id)

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
end

local function wait_for_diagnostics(count)
  local there = vim.wait(limit, function() return #vim.diagnostic.get(buffer) == count end, 20)
  assert(there, ('%d diagnostics, not %d'):format(#vim.diagnostic.get(buffer), count))
end

local function request(method, params)
  local answers = assert(vim.lsp.buf_request_sync(buffer, method, params, limit))
  local answer = assert(answers[client_id], 'no answer')
  assert(not answer.error, vim.inspect(answer.error))
  return answer.result
end

local function find_rule(rule)
  for _, diagnostic in ipairs(vim.diagnostic.get(buffer)) do
    local item = diagnostic.user_data and diagnostic.user_data.lsp or diagnostic
    if (item.code or diagnostic.code) == rule then return diagnostic end
  end
  error('no diagnostic of ' .. rule)
end

local document = vim.lsp.util.make_text_document_params(buffer)

check('the three mistakes are shown', function()
  wait_for_diagnostics(3)
end)

check('hover tells of a function', function()
  local line = vim.fn.search('vfio_alloc_device(') - 1
  local column = vim.fn.getline(line + 1):find('vfio_alloc_device', 1, true)
  local hover = request('textDocument/hover', { textDocument = document, position = { line = line, character = column } })
  assert(hover.contents.value:find('vfio_alloc_device', 1, true), hover.contents.value)
end)

check('a code action is applied and its finding is gone', function()
  local diagnostic = find_rule('null-check-on-alloc')
  local range = {
    start = { line = diagnostic.lnum, character = diagnostic.col },
    ['end'] = { line = diagnostic.end_lnum, character = diagnostic.end_col },
  }
  local actions = request('textDocument/codeAction', { textDocument = document, range = range, context = { diagnostics = {} } })
  local action = assert(actions[1], 'no code action')
  vim.lsp.util.apply_workspace_edit(action.edit, vim.lsp.get_client_by_id(client_id).offset_encoding or 'utf-16')
  assert(text():find('if (IS_ERR(lamp))', 1, true), text())
  wait_for_diagnostics(2)
end)

check('undo brings the text and the finding back', function()
  vim.cmd('silent undo')
  assert(text():find('if (!lamp)', 1, true), text())
  wait_for_diagnostics(3)
end)

vim.lsp.stop_client(client_id)
io.stdout:write(('%d passed, %d failed, 0 skipped\n'):format(passed, failed))
vim.cmd(failed == 0 and 'qall!' or 'cquit 1')
