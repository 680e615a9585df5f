;;; run.el --- The language server in Emacs, started by the configuration of docs/editors.md -*- lexical-binding: t -*-
;; CONFIGURATION is the file that holds it: diagnostics, their severities, a hover, a code action, and no warning of eglot's.
;; Prints a line for each check and ends with the counts; the exit status is 1 when one failed.

(require 'cl-lib)
(require 'package)
(unless (locate-library "eglot") (package-initialize))
(require 'eglot)
(require 'flymake)

(defvar passed 0)
(defvar failed 0)
(defconst limit 120 "Only ends what hangs, in seconds.")

(defmacro check (name &rest body)
  "Run BODY, which signals an error where NAME does not hold."
  `(condition-case problem
       (progn ,@body (cl-incf passed) (princ (format "ok      %s\n" ,name)))
     (error (cl-incf failed) (princ (format "FAILED  %s: %S\n" ,name problem)))))

(defun wait-for (what holds)
  "Wait until HOLDS returns non-nil, and return that; else complain of WHAT."
  (let ((end (+ (float-time) limit)) found)
    (while (not (setq found (funcall holds)))
      (when (> (float-time) end) (error "No sign of %s" what))
      (accept-process-output nil 0.05))
    found))

(defun finding (rule)
  "The diagnostic of RULE in this buffer."
  (cl-find-if (lambda (one) (string-match-p (regexp-quote rule) (flymake-diagnostic-text one)))
              (flymake-diagnostics)))

(defun finding-at (text)
  "The diagnostic that begins at the first TEXT of this buffer."
  (save-excursion
    (goto-char (point-min))
    (search-forward text)
    (let ((at (match-beginning 0)))
      (cl-find-if (lambda (one) (<= (flymake-diagnostic-beg one) at (flymake-diagnostic-end one))) (flymake-diagnostics)))))

(load (getenv "CONFIGURATION") nil t)
(find-file "mistakes.c")
;; A batch run has no command loop, after which the hook would connect.
(apply #'eglot--connect (eglot--guess-contact))

(check "the server of the configuration is connected"
  (wait-for "a server" #'eglot-current-server))

(check "the three mistakes are shown"
  (wait-for "three mistakes"
            (lambda () (flymake-start) (= 3 (length (flymake-diagnostics))))))

(check "the severity of the settings is taken"
  (cl-assert (eq 'eglot-warning (flymake-diagnostic-type (finding-at "!lamp"))))
  (cl-assert (eq 'eglot-error (flymake-diagnostic-type (finding-at "return ret;")))))

(check "hover tells of a function"
  (goto-char (point-min))
  (search-forward "vfio_alloc_device(")
  (goto-char (match-beginning 0))
  (let ((hover (jsonrpc-request (eglot-current-server) :textDocument/hover (eglot--TextDocumentPositionParams))))
    (cl-assert (string-match-p "vfio_alloc_device" (plist-get (plist-get hover :contents) :value)))))

(check "a code action is applied and its finding is gone"
  (goto-char (point-min))
  (search-forward "!lamp")
  (goto-char (match-beginning 0))
  (let* ((actions (eglot-code-actions (point) (1+ (point))))
         (fix (cl-find "quickfix" actions :key (lambda (one) (plist-get one :kind)) :test #'equal)))
    (eglot--apply-workspace-edit
     (or (plist-get fix :edit) (plist-get (jsonrpc-request (eglot-current-server) :codeAction/resolve fix) :edit))))
  (goto-char (point-min))
  (cl-assert (search-forward "if (IS_ERR(lamp))" nil t))
  ;; A batch run is never idle, which is when eglot tells of changes.
  (wait-for "two mistakes" (lambda () (eglot--signal-textDocument/didChange) (flymake-start) (= 2 (length (flymake-diagnostics))))))

(defun run (command argument)
  "The server's answer to COMMAND with ARGUMENT."
  (jsonrpc-request (eglot-current-server) :workspace/executeCommand
                   (list :command (concat "vfio-lifecycle." command) :arguments (vector argument))))

(check "the commands check, explain and lifeCycle answer"
  (let* ((uri (plist-get (eglot--TextDocumentIdentifier) :uri))
         (life (run "lifeCycle" (list :uri uri))))
    (cl-assert (= 2 (length (run "check" (list :uri uri)))))
    (cl-assert (string-match-p "vfio_put_device" (plist-get (run "explain" (list :name "vfio_put_device" :uri uri)) :markdown)))
    (cl-assert (equal "lamp_driver" (plist-get (aref (plist-get life :drivers) 0) :name)))
    (cl-assert (string-match-p "flowchart" (plist-get life :mermaid)))))

(check "the command convert writes the buffer"
  (let ((uri (plist-get (eglot--TextDocumentIdentifier) :uri)))
    (erase-buffer)
    (insert-file-contents "old_model.c")
    (eglot--signal-textDocument/didChange)
    (cl-letf (((symbol-function 'y-or-n-p) (lambda (&rest _) t)))
      (cl-assert (eq t (plist-get (run "convert" (list :uri uri)) :isApplied))))
    (goto-char (point-min))
    (cl-assert (search-forward "vfio_alloc_device(" nil t))))

(check "eglot warns of nothing"
  (let ((warnings (get-buffer "*Warnings*")))
    (when warnings (error "%s" (with-current-buffer warnings (buffer-string))))))

(set-buffer-modified-p nil)
(ignore-errors (eglot-shutdown (eglot-current-server)))
(princ (format "%d passed, %d failed, 0 skipped\n" passed failed))
(kill-emacs (if (= failed 0) 0 1))
;;; run.el ends here
