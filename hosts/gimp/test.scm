; What the lines that hosts/gimp/test writes are made of.

; The lowest layer.
(define (layer-of image)
  (let ((layers (gimp-image-get-layers image)))
    (vector-ref (cadr layers) (- (car layers) 1))))
; A copy of the picture in `file`, which is read once.
(define known '())
(define (open file)
  (let ((found (assoc file known)))
    (if (not found)
        (begin
          (set! found (list file (car (gimp-file-load RUN-NONINTERACTIVE file file))))
          (set! known (cons found known))))
    (car (gimp-image-duplicate (cadr found)))))

; PNG at the image's depth, with the colours of transparent pixels.
(define (save image layer file)
  (file-png-save2 RUN-NONINTERACTIVE image layer file file FALSE 1 FALSE FALSE FALSE FALSE FALSE FALSE TRUE))
(define (save-image image file)
  (save image (layer-of image) file)
  (gimp-image-delete image))

; Calls a procedure by the names of its arguments; what is not named gets 0 or "".
(define (call name first values)
  (let ((count (list-ref (gimp-procedural-db-proc-info name) 6)))
    (let loop ((i (- count 1)) (rest '()))
      (if (< i (length first))
          (car (apply (eval (string->symbol name)) (append first rest)))
          (let* ((argument (gimp-procedural-db-proc-arg name i))
                 (given (assoc (cadr argument) values)))
            (loop (- i 1)
                  (cons (cond (given (cadr given))
                              ((= (car argument) PDB-STRING) "")
                              (else 0))
                        rest)))))))
(define (filter name image values)
  (call (string-append "plug-in-inr-" name) (list RUN-NONINTERACTIVE image (layer-of image)) values))

; An edit of the picture in `file`, saved to `out`; `change` is done to the image first.
(define (edit name file values change out)
  (let ((image (open file)))
    (change image)
    (let ((layer (filter name image values)))
      (gimp-selection-none image)
      (if (not (= (car (gimp-image-get-precision image)) PRECISION-U8-GAMMA))
          (gimp-image-convert-precision image PRECISION-U16-GAMMA))
      (save image layer out))
    (gimp-image-delete image)))
(define (nothing image) #f)
(define (open-at file width height scale out)
  (save-image (car (file-inr-load RUN-NONINTERACTIVE file file width height scale)) out))
(define (export file values out)
  (let ((image (open file)))
    (call "file-inr-save" (list RUN-NONINTERACTIVE image (layer-of image) out out) values)
    (gimp-image-delete image)))

; Ends the test unless this holds.
(define (want what holds) (if (not holds) (error what)))
(define (pixel drawable x y) (vector-ref (cadr (gimp-drawable-get-pixel drawable x y)) 0))

; Writes a line to `out` if `work` fails.
(define (note-refusal out name work)
  (let ((failed (catch #t (work) #f)))
    (if failed (begin (display name out) (newline out)))))
