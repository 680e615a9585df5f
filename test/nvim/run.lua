-- The language server in Neovim over stdio, started by a configuration of docs/editors.md (CONFIGURATION): diagnostics, hover and a code action.
-- Prints a line for each check and ends with the counts; the exit status is 1 when one failed.
local passed, failed = 0, 0
-- Only ends what hangs, in milliseconds.
local limit = 120000

local function check(name, test)
  local ok, problem = pcall(test)
  if ok then passed = passed + 1 else failed = failed + 1 end
  io.stdout:write((ok and 'ok      ' or 'FAILED  ') .. name .. (ok and '' or ': ' .. tostring(problem)) .. '\n')
end

-- What the configurations use and an older Neovim lacks, as far as they use it.
vim.fs = vim.fs or {
  dirname = function(path) return path and vim.fn.fnamemodify(path, ':h') end,
  find = function(names)
    return vim.tbl_filter(function(path) return path ~= '' end, vim.tbl_map(function(name) return vim.fn.findfile(name, '.;') end, names))
  end,
}
vim.lsp.start = vim.lsp.start or function(config)
  -- It could answer what the server asks, and did not say so.
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.workspace.configuration = true
  local id = vim.lsp.start_client(vim.tbl_extend('keep', config, { capabilities = capabilities }))
  vim.lsp.buf_attach_client(0, id)
  return id
end
if not vim.lsp.config then
  local configs = {}
  vim.lsp.config = function(name, config) configs[name] = vim.tbl_extend('keep', { name = name, root_dir = vim.fn.getcwd() }, config) end
  vim.lsp.enable = function(name)
    vim.api.nvim_create_autocmd('FileType', { pattern = configs[name].filetypes, callback = function() vim.lsp.start(configs[name]) end })
  end
end

dofile(vim.env.CONFIGURATION)
local buffer = vim.api.nvim_get_current_buf()
vim.bo[buffer].filetype = 'c'
local client_id
assert(vim.wait(limit, function()
  local _, client = next((vim.lsp.get_clients or vim.lsp.get_active_clients)())
  client_id = client and client.id
  return client_id ~= nil
end, 20), 'the configuration starts nothing')

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

check('the severity of the settings is taken', function()
  assert(find_rule('null-check-on-alloc').severity == vim.diagnostic.severity.WARN)
  assert(find_rule('missing-put').severity == vim.diagnostic.severity.ERROR)
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

local function run(command, argument)
  return request('workspace/executeCommand', { command = 'vfio-lifecycle.' .. command, arguments = { argument } })
end

check('the commands check, explain, path and lifeCycle answer', function()
  assert(#run('check', { uri = document.uri }) == 3)
  assert(run('explain', { name = 'vfio_put_device', uri = document.uri }).markdown:find('vfio_put_device', 1, true))
  local finding = find_rule('missing-put')
  local path = run('path', { uri = document.uri, position = { line = finding.lnum, character = finding.col } })
  assert(path.rule == 'missing-put' and #path.path == 3, vim.inspect(path))
  local life = run('lifeCycle', { uri = document.uri })
  assert(life.drivers[1].name == 'lamp_driver' and life.mermaid:find('flowchart', 1, true), vim.inspect(life))
end)

check('the command convert writes the buffer', function()
  local before = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.fn.readfile('old_model.c'))
  assert(run('convert', { uri = document.uri }).isApplied)
  assert(text():find('vfio_alloc_device(', 1, true) and not text():find('vfio_init_group_dev(', 1, true), text())
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, before)
end)

vim.lsp.stop_client(client_id)
io.stdout:write(('%d passed, %d failed, 0 skipped\n'):format(passed, failed))
vim.cmd(failed == 0 and 'qall!' or 'cquit 1')
