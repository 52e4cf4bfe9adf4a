// Made from openapi.json by `npm run generate`. Do not edit.

/** The stages that a task of each built-in type can show, in the order of its way. */
export const STAGES = {
  CREATE: ["queued","generating","saving"],
  WHITE_BACKGROUND: ["queued","generating","saving"],
  CLOTHING_CHANGE: ["queued","generating","saving"],
  PHOTO_TO_3D: ["pending","uploaded","bgr_removed","job_created","model_generated","model_saved","upload_failed","bgr_removal_failed","job_creation_failed","model_generation_failed","model_saving_failed"],
  IMAGE: ["queued","generating","saving"],
  VIDEO: ["queued","generating","saving"],
} as const;

/** Every code of a problem, with its HTTP status. */
export interface Problems {
  /** Not HTTP */
  invalid_http: 400;
  /** Credential missing or wrong */
  unauthorized: 401;
  /** Sent from another site */
  cross_site: 403;
  /** For admins only */
  admin_only: 403;
  /** Not found */
  not_found: 404;
  /** No such task */
  task_not_found: 404;
  /** No such upload */
  upload_not_found: 404;
  /** No such artifact */
  artifact_not_found: 404;
  /** Nothing put aside there */
  dead_letter_not_found: 404;
  /** Method not allowed */
  method_not_allowed: 405;
  /** Upload too slow */
  upload_too_slow: 408;
  /** The task has ended */
  already_finished: 409;
  /** The task has not ended */
  task_is_live: 409;
  /** No photo is awaited */
  photo_not_awaited: 409;
  /** Body too large */
  body_too_large: 413;
  /** Upload too large */
  upload_too_large: 413;
  /** Unsupported content type */
  unsupported_media_type: 415;
  /** Range not satisfiable */
  range_not_satisfiable: 416;
  /** Headers too large */
  headers_too_large: 431;
  /** Not JSON */
  invalid_json: 422;
  /** Invalid request */
  invalid_request: 422;
  /** Not a multipart form */
  invalid_multipart: 422;
  /** Invalid cursor */
  invalid_cursor: 422;
  /** Message not understood */
  invalid_message: 422;
  /** Unknown type */
  unknown_type: 422;
  /** Not supported yet */
  not_supported: 422;
  /** No provider */
  no_provider: 422;
  /** Request too large */
  request_too_large: 422;
  /** Invalid idempotency key */
  idempotency_key_invalid: 422;
  /** Idempotency key used before */
  idempotency_key_reused: 422;
  /** No such reference */
  reference_not_found: 422;
  /** Unsupported reference */
  reference_unsupported: 422;
  /** Reference not public */
  reference_not_public: 422;
  /** Reference unreachable */
  reference_unreachable: 422;
  /** Reference too large */
  reference_too_large: 422;
  /** Unsupported reference */
  reference_scheme: 422;
  /** Upload expired */
  upload_expired: 422;
  /** Empty upload */
  empty_upload: 422;
  /** Unsupported media */
  unsupported_media: 422;
  /** Photo not usable */
  photo_unusable: 422;
  /** Damaged picture */
  image_truncated: 422;
  /** Picture too large */
  image_too_large: 422;
  /** Animated picture */
  image_animated: 422;
  /** Picture without area */
  image_zero_size: 422;
  /** Queue full */
  queue_full: 429;
  /** Too many of your tasks wait */
  owner_queue_full: 429;
  /** Read too slowly */
  slow_reader: 429;
  /** Too many subscriptions */
  too_many_subscriptions: 429;
  /** Internal error */
  internal: 500;
  /** Log unreachable */
  log_unreachable: 503;
  /** Log full */
  log_full: 503;
  /** Outcome unknown */
  outcome_unknown: 503;
  /** Task store unavailable */
  task_store_unavailable: 503;
  /** Not caught up */
  not_caught_up: 503;
  /** Too many connections */
  too_many_streams: 503;
  /** Being rebuilt */
  projection_busy: 503;
  /** Shutting down */
  shutting_down: 503;
  /** Too many uploads at once */
  uploads_busy: 503;
  /** Object store unavailable */
  store_unavailable: 503;
}
