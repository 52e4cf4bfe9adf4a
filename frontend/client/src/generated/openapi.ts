// Made from openapi.json by `npm run generate`. Do not edit.
export interface paths {
    "/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Tasks
         * @description The history, newest first, in pages; the first has all that happened before the call.
         */
        get: operations["list_tasks_tasks_get"];
        put?: never;
        /**
         * Submit Task
         * @description Ask for something to be generated.
         *
         *     The task is on disk in the log before the answer. It is `processing` (or `pending`, with a
         *     `run_at` in the future); follow it at `Location`.
         */
        post: operations["submit_task_tasks_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tasks/{task_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Task
         * @description A task as it is now. Never 404 after its 202.
         */
        get: operations["show_task_tasks__task_id__get"];
        put?: never;
        post?: never;
        /**
         * Erase Task
         * @description Erase a task, its prompt, references, events and artifacts; a live one is ended first.
         *
         *     While the task store is away, what it keeps, and uploads that other tasks may need, follow when
         *     it is back.
         */
        delete: operations["erase_task_tasks__task_id__delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow Tasks
         * @description Live updates of all tasks (of a type): first those that have not ended, then each change.
         *
         *     The same over a WebSocket at `/ws`. See docs/live-updates.md.
         */
        get: operations["follow_tasks_events_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tasks/processing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Processing Tasks
         * @description Recovery: every task that has not ended, oldest first; complete, or a 503.
         *
         *     Includes every task whose 202 was given before the call.
         */
        get: operations["list_processing_tasks_tasks_processing_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/generation/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Prompt Tasks
         * @description The tasks of one prompt, newest first, for React Query hooks.
         */
        get: operations["list_prompt_tasks_api_generation_tasks_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tasks/{task_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Task
         * @description Cancel a task, also while the task store is away; a 409 tells that it had ended before.
         */
        post: operations["cancel_task_tasks__task_id__cancel_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tasks/{task_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Task
         * @description Ask for the same once more, as a new task with `metadata.retry_of`.
         */
        post: operations["retry_task_tasks__task_id__retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tasks/{task_id}/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Patch Metadata
         * @description Change metadata by a merge patch (RFC 7396): objects merge, null removes.
         */
        patch: operations["patch_metadata_tasks__task_id__metadata_patch"];
        trace?: never;
    };
    "/tasks/{task_id}/photo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Put Photo
         * @description Send the photo that a pending task waits for, as a form or as the body itself.
         *
         *     What can't be used as a photo ends the task; a transfer that breaks off leaves it as it was.
         */
        put: operations["put_photo_tasks__task_id__photo_put"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tasks/{task_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Task Events
         * @description What happened to a task, in order.
         */
        get: operations["list_task_events_tasks__task_id__events_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Upload File
         * @description Send a picture or video to refer to in a task. What it is, its content tells.
         */
        post: operations["upload_file_uploads_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/uploads/{upload_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Upload
         * @description An upload's bytes, until it expires, or for as long as a task refers to it.
         */
        get: operations["show_upload_uploads__upload_id__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/artifacts/{key}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Artifact
         * @description A file that a task made.
         */
        get: operations["show_artifact_artifacts__key__get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/generation-types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Generation Types
         * @description What can be asked for: types with their stages, inputs, providers, and who is there.
         */
        get: operations["list_generation_types_generation_types_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/system": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show System
         * @description How far the rows are behind the log, and how long every line is; for admins.
         */
        get: operations["show_system_system_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Healthz
         * @description Whether the process is alive.
         */
        get: operations["healthz_healthz_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Readyz
         * @description Whether it can do its work: the log, the task store behind it, a provider announced.
         */
        get: operations["readyz_readyz_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Metrics
         * @description Prometheus.
         */
        get: operations["metrics_metrics_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Dead Letters
         * @description Events that could not be applied, each with what waits behind it; for admins.
         *
         *     `reason` is how it begins. With `dropped`, those that were dropped.
         */
        get: operations["list_dead_letters_dead_letters_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Dead Letters
         * @description Apply several as if they came now, with what waits behind them, up to 1,000 tasks; for
         *     admins.
         */
        post: operations["retry_dead_letters_dead_letters_retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/{sequence}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Dead Letter
         * @description Apply one as if it came now, with what waits behind it; for admins.
         */
        post: operations["retry_dead_letter_dead_letters__sequence__retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/dead-letters/{sequence}/drop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Drop Dead Letter
         * @description Set one aside for good, and apply what waits behind it; for admins.
         */
        post: operations["drop_dead_letter_dead_letters__sequence__drop_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Begin Session
         * @description Exchange a key for a cookie, with which `EventSource`, `WebSocket` and `<img>` work.
         *
         *     It is `HttpOnly`, `SameSite=Strict`, good for a week, and ends with its key. With it, only pages
         *     of this origin may change anything.
         */
        post: operations["begin_session_session_post"];
        /**
         * End Session
         * @description Take the cookie back, and have the browser forget the files that it kept.
         */
        delete: operations["end_session_session_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make Token
         * @description A token for `?token=`, on GETs and on `/ws` only; good for ten minutes.
         *
         *     A connection that it opened lives on.
         */
        post: operations["make_token_tokens_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** ArtifactView */
        ArtifactView: {
            /** Url */
            url: string;
            /** Content Type */
            content_type: string;
            /** Bytes */
            bytes: number;
            /** Sha256 */
            sha256: string;
            /** Width */
            width: number | null;
            /** Height */
            height: number | null;
        };
        /**
         * BreakerView
         * @description The provider's circuit breaker; ``until`` when it is tried again, where that is known.
         */
        BreakerView: {
            /**
             * State
             * @enum {string}
             */
            state: "closed" | "open" | "half_open";
            /** Failures */
            failures: number;
            /** Until */
            until: string | null;
        };
        /**
         * DeadLetterView
         * @description An event that could not be applied, or that was dropped by ``who`` with a ``note``.
         *
         *     ``waiting`` later events of the task wait behind it; ``first_at`` is its time in the log,
         *     ``last_at`` that of the last try, or of the drop.
         */
        DeadLetterView: {
            /** Sequence */
            sequence: number;
            /** Task Id */
            task_id: string;
            /** Type */
            type: string | null;
            /** Subject */
            subject: string;
            /** Reason */
            reason: string;
            /**
             * First At
             * Format: date-time
             */
            first_at: string;
            /**
             * Last At
             * Format: date-time
             */
            last_at: string;
            /** Tries */
            tries?: number | null;
            /** Waiting */
            waiting?: number | null;
            /** Who */
            who?: string | null;
            /** Note */
            note?: string | null;
        };
        /**
         * DeadLetters
         * @description In the order of the log. ``events``, ``tasks``, ``oldest`` are of all that is put aside.
         */
        DeadLetters: {
            /** Dead Letters */
            dead_letters: components["schemas"]["DeadLetterView"][];
            /** Exhausted */
            exhausted: components["schemas"]["ExhaustedView"][];
            /** Events */
            events: number;
            /** Tasks */
            tasks: number;
            /** Oldest */
            oldest: string | null;
            /** Next */
            next: number | null;
        };
        /**
         * ErrorView
         * @description Why a task failed; ``message`` is for the user and is repeated in ``error_msg``.
         */
        ErrorView: {
            /** Code */
            code: string;
            /** Message */
            message: string;
            /** Retryable */
            retryable: boolean;
            /** Attempts */
            attempts: number;
            /**
             * Params
             * @default {}
             */
            params?: {
                [key: string]: unknown;
            };
        };
        /**
         * ExhaustedView
         * @description An event on which a subscriber's durable gave up after so many deliveries.
         */
        ExhaustedView: {
            /** Consumer */
            consumer: string;
            /** Sequence */
            sequence: number;
            /** Deliveries */
            deliveries: number;
            /**
             * First At
             * Format: date-time
             */
            first_at: string;
            /**
             * Last At
             * Format: date-time
             */
            last_at: string;
            /** Task Id */
            task_id: string | null;
            /** Type */
            type: string | null;
            /** Subject */
            subject: string | null;
        };
        /** GenerationTypeView */
        GenerationTypeView: {
            /** Type */
            type: string;
            /** Title */
            title: string;
            /** Stages */
            stages: string[];
            /** Prompt Required */
            prompt_required: boolean;
            /** Min References */
            min_references: number;
            /** Max References */
            max_references: number;
            /** Default Provider */
            default_provider: string;
            /** Fallbacks */
            fallbacks: string[];
            /** Providers */
            providers: components["schemas"]["ProviderView"][];
        };
        /** GenerationTypes */
        GenerationTypes: {
            /** Types */
            types: components["schemas"]["GenerationTypeView"][];
        };
        /**
         * LogFigures
         * @description ``bytes`` of ``max_bytes`` are used; nearly full, it takes no new tasks.
         */
        LogFigures: {
            /** First Sequence */
            first_sequence: number;
            /** Last Sequence */
            last_sequence: number;
            /** Bytes */
            bytes: number;
            /** Max Bytes */
            max_bytes: number;
        };
        /**
         * MendedDeadLetters
         * @description What came of it: events ``tried``, ``applied``, ``dropped``, and those still ``parked`` with
         *     what waits behind them; ``absent`` were not put aside, and of ``exhausted`` a subscriber's
         *     deliveries are used up. With ``following`` there is more.
         */
        MendedDeadLetters: {
            /** Tried */
            tried: number;
            /** Applied */
            applied: number;
            /** Dropped */
            dropped: number;
            /** Parked */
            parked: number;
            /** Absent */
            absent: number[];
            /** Exhausted */
            exhausted: number[];
            /** Following */
            following: number | null;
        };
        /**
         * ParkedFigures
         * @description Events that could not be applied, and those that wait behind them.
         */
        ParkedFigures: {
            /** Events */
            events: number;
            /** Tasks */
            tasks: number;
            /** Oldest */
            oldest: string | null;
        };
        /**
         * ProjectionFigures
         * @description How far the rows are. ``lag_events`` counts sequences, erased ones too; ``halted`` says why
         *     nothing is projected, if so.
         */
        ProjectionFigures: {
            /** Build */
            build: number;
            /** Sequence */
            sequence: number;
            /** Lag Events */
            lag_events: number;
            /** Lag Seconds */
            lag_seconds: number;
            /** Halted */
            halted: string | null;
        };
        /**
         * PromptTaskView
         * @description A task of one prompt, in the shape that React Query hooks use.
         */
        PromptTaskView: {
            /** Id */
            id: string;
            /** Taskid */
            taskId: string;
            /** Promptid */
            promptId: string | null;
            /** Type */
            type: string;
            /** Model */
            model: string | null;
            /** Service */
            service: string | null;
            /** Externaltaskid */
            externalTaskId: string | null;
            /**
             * Status
             * @enum {string}
             */
            status: "PENDING" | "SUCCESS" | "FAILED";
            /** Stage */
            stage: string;
            /** Progress */
            progress: number;
            /** Resulturl */
            resultUrl: string | null;
            /** Resulturls */
            resultUrls: string[];
            /** Errormessage */
            errorMessage: string | null;
            /**
             * Createdat
             * Format: date-time
             */
            createdAt: string;
            /**
             * Updatedat
             * Format: date-time
             */
            updatedAt: string;
            /** Completedat */
            completedAt: string | null;
        };
        /**
         * ProviderView
         * @description A provider of one type.
         *
         *     ``healthy``: a generator serves it, and its breaker is closed. The rest is of its last tasks,
         *     ``finished`` of them: the share that it completed, and seconds from their start to their end.
         */
        ProviderView: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /**
             * Execution
             * @enum {string}
             */
            execution: "local" | "remote" | "inline";
            /** Params Schema */
            params_schema: {
                [key: string]: unknown;
            };
            /** Healthy */
            healthy: boolean;
            breaker: components["schemas"]["BreakerView"];
            /** Finished */
            finished: number;
            /** Success Rate */
            success_rate: number | null;
            /** P50 S */
            p50_s: number | null;
            /** P95 S */
            p95_s: number | null;
        };
        /**
         * QueueFigures
         * @description The line of one type at one provider. ``finished`` counts every task that ever ended there;
         *     ``since`` is how long its first waits; ``mean_s`` a moving mean of how long tasks run.
         */
        QueueFigures: {
            /** Type */
            type: string;
            /** Provider */
            provider: string;
            /** Waiting */
            waiting: number;
            /** Running */
            running: number;
            /** Finished */
            finished: number;
            /** Mean S */
            mean_s: number | null;
            /** Since */
            since: string | null;
        };
        /**
         * SessionView
         * @description Whose session it is; the session itself is in a cookie.
         */
        SessionView: {
            /** Owner */
            owner: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /**
         * SubmitTask
         * @description ``POST /tasks``.
         */
        SubmitTask: {
            /**
             * Type
             * @example CREATE
             */
            type: string;
            /**
             * Prompt
             * @example a red bicycle
             */
            prompt?: string | null;
            /**
             * Reference Images
             * @default []
             */
            reference_images?: string[];
            /**
             * Provider Params
             * @default {}
             */
            provider_params?: {
                [key: string]: unknown;
            };
            /** Prompt Id */
            prompt_id?: string | null;
            /**
             * Metadata
             * @default {}
             */
            metadata?: {
                [key: string]: unknown;
            };
            /** Webhook Url */
            webhook_url?: string | null;
            /** Run At */
            run_at?: string | null;
            /** Priority */
            priority?: number | null;
        };
        /**
         * SystemFigures
         * @description Everybody's tasks in figures, as of ``at``.
         */
        SystemFigures: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            log: components["schemas"]["LogFigures"];
            projection: components["schemas"]["ProjectionFigures"];
            parked: components["schemas"]["ParkedFigures"];
            /** Queues */
            queues: components["schemas"]["QueueFigures"][];
        };
        /**
         * TaskEvent
         * @description A CloudEvent with its place in the log and the broker's time.
         */
        TaskEvent: {
            /** Id */
            id: string;
            /** Source */
            source: string;
            /** Type */
            type: string;
            /** Subject */
            subject: string;
            /**
             * Time
             * Format: date-time
             */
            time: string;
            /** Data */
            data: {
                [key: string]: unknown;
            };
            /** Sequence */
            sequence: number;
            /**
             * Logtime
             * Format: date-time
             */
            logtime: string;
        } & {
            [key: string]: unknown;
        };
        /** TaskEvents */
        TaskEvents: {
            /** Events */
            events: components["schemas"]["TaskEvent"][];
        };
        /** TaskList */
        TaskList: {
            /** Tasks */
            tasks: components["schemas"]["TaskView"][];
        };
        /** TaskPage */
        TaskPage: {
            /** Tasks */
            tasks: components["schemas"]["TaskView"][];
            /** Next Cursor */
            next_cursor: string | null;
        };
        /**
         * TaskView
         * @description A task as its owner sees it.
         *
         *     ``late_artifacts`` came after the task had ended without a result. ``metadata.parked``, with
         *     ``since`` and ``reason``, is there while the task is on hold until an operator has looked at it.
         */
        TaskView: {
            /** Task Id */
            task_id: string;
            /** Type */
            type: string;
            /** Prompt Id */
            prompt_id: string | null;
            /**
             * Status
             * @enum {string}
             */
            status: "pending" | "processing" | "completed" | "failed" | "cancelled";
            /** Stage */
            stage: string;
            /** Progress */
            progress: number;
            /** Queue Position */
            queue_position: number | null;
            /** Eta Seconds */
            eta_seconds: number | null;
            waiting_for: components["schemas"]["WaitingForView"] | null;
            /** Attempt */
            attempt: number;
            /** Prompt */
            prompt: string | null;
            /** Reference Images */
            reference_images: string[];
            /** Provider Params */
            provider_params: {
                [key: string]: unknown;
            };
            /** Provider */
            provider: string | null;
            /** External Task Id */
            external_task_id: string | null;
            /** Image Url */
            image_url: string | null;
            /** Artifacts */
            artifacts: components["schemas"]["ArtifactView"][];
            /** Late Artifacts */
            late_artifacts: components["schemas"]["ArtifactView"][];
            error: components["schemas"]["ErrorView"] | null;
            /** Error Msg */
            error_msg: string | null;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Started At */
            started_at: string | null;
            /**
             * Updated At
             * Format: date-time
             */
            updated_at: string;
            /** Finished At */
            finished_at: string | null;
            /** Sequence */
            sequence: number;
        };
        /** TokenView */
        TokenView: {
            /** Token */
            token: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /** UploadView */
        UploadView: {
            /** Upload Id */
            upload_id: string;
            /** Url */
            url: string;
            /** Content Type */
            content_type: string;
            /** Bytes */
            bytes: number;
            /** Sha256 */
            sha256: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
        };
        /**
         * WaitingForView
         * @description Why a task in line isn't begun although workers are free.
         *
         *     ``circuit_open``: the provider has failed, and is left alone until then. ``provider_busy``: it
         *     takes no more until then.
         */
        WaitingForView: {
            /**
             * Code
             * @enum {string}
             */
            code: "circuit_open" | "provider_busy";
            /** Provider */
            provider: string;
            /** Until */
            until: string | null;
        };
        /** FieldError */
        FieldError: {
            /** Loc */
            loc: (string | number)[];
            /** Msg */
            msg: string;
        };
        /**
         * Problem
         * @description RFC 9457 ``application/problem+json``; ``type`` is a link to what ``code`` means.
         */
        Problem: {
            /** Type */
            type: string;
            /** Title */
            title: string;
            /** Status */
            status: number;
            /** Detail */
            detail: string;
            /** Code */
            code: string;
            /**
             * Errors
             * @default null
             */
            errors?: components["schemas"]["FieldError"][] | null;
        } & {
            [key: string]: unknown;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_tasks_tasks_get: {
        parameters: {
            query?: {
                type?: string | null;
                status?: ("pending" | "processing" | "completed" | "failed" | "cancelled") | null;
                prompt_id?: string | null;
                limit?: number;
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskPage"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    submit_task_tasks_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body name the same task, however often they are sent. */
                "idempotency-key"?: string | null;
                /** @description `wait=N`, N ≤ 60: answer when the task ends. */
                prefer?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SubmitTask"];
            };
        };
        responses: {
            /** @description The task that this `Idempotency-Key` named before (`Idempotency-Replayed: true`), or, with `Prefer: wait`, one that has ended. */
            200: {
                headers: {
                    /** @description Where the task is. */
                    Location?: string;
                    /** @description `true` for a key seen before. */
                    "Idempotency-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskView"];
                };
            };
            /** @description Successful Response */
            202: {
                headers: {
                    /** @description Where the task is. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is over 1 MiB (`body_too_large`). */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not declared as JSON (`unsupported_media_type`). */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. Prompt, references, provider_params and metadata may be 64 KiB together, as JSON in UTF-8 and with what is added to them (`request_too_large`); metadata and provider_params at most 16 KiB each. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The line of this type is full (`queue_full`). */
            429: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_task_tasks__task_id__get: {
        parameters: {
            query?: {
                /** @description Hold the answer until the task moves, seconds. */
                wait?: number | null;
                /** @description With `wait`: until its `sequence` is greater than this. */
                after?: number | null;
            };
            header?: {
                "if-none-match"?: string | null;
            };
            path: {
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    /** @description Of the task as it is, for `If-None-Match`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskView"];
                };
            };
            /** @description Nothing has changed since `If-None-Match`. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    erase_task_tasks__task_id__delete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    follow_tasks_events_get: {
        parameters: {
            query?: {
                type?: string | null;
                /** @description As `Last-Event-ID`, which counts where both are sent. */
                after?: number | null;
            };
            header?: {
                /** @description Go on after this: no snapshot, every change since, none twice. */
                "last-event-id"?: number | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An event stream. `task`: `data` is the whole task (`TaskView`) as it was at `id`, a sequence of the log. `erased`: `{task_id}`. `position`, without an `id`: `PlaceView`. `reset`: forget what was told, a snapshot follows. `error`: a `Problem`, and the connection ends. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_processing_tasks_tasks_processing_get: {
        parameters: {
            query?: {
                type?: string | null;
                status?: ("pending" | "processing") | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskList"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_prompt_tasks_api_generation_tasks_get: {
        parameters: {
            query: {
                promptId: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PromptTaskView"][];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancel_task_tasks__task_id__cancel_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The task had ended (`already_finished`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_task_tasks__task_id__retry_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key names the same new task, however often it is sent. */
                "Idempotency-Key"?: string;
                /** @description `wait=N`, N ≤ 60: answer when the new task ends. */
                Prefer?: string;
            };
            path: {
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    /** @description Where the task is. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The task has not ended (`task_is_live`). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The line of this type is full (`queue_full`). */
            429: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    patch_metadata_tasks__task_id__metadata_patch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": Record<string, never>;
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is over 1 MiB (`body_too_large`). */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is no merge patch (`unsupported_media_type`). */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The patch is no JSON object, or it or the metadata with it is over 16 KiB. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_photo_tasks__task_id__photo_put: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** Format: binary */
                    file: string;
                };
                "image/*": string;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_task_events_tasks__task_id__events_get: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                task_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description With `Accept: text/event-stream` the task as it is, then each change of it until it has ended, as at `/events`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskEvents"];
                    "text/event-stream": string;
                };
            };
            /** @description An event stream, and `Last-Event-ID` is the end of the task. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    upload_file_uploads_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** Format: binary */
                    file: string;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    /** @description Where the file is. */
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The file did not come in time (`upload_too_slow`). */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The file is too large (`upload_too_large`). */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is no multipart form (`unsupported_media_type`). */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too much is being uploaded at once (`uploads_busy`), or the store can't be reached (`store_unavailable`); `Retry-After` says when to send it again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_upload_uploads__upload_id__get: {
        parameters: {
            query?: never;
            header?: {
                /** @description A part of the file, as `bytes=0-1023`. */
                Range?: string;
                /** @description The part only of this `ETag`, else the whole file. */
                "If-Range"?: string;
                /** @description Not again what has this `ETag`. */
                "If-None-Match"?: string;
                /** @description Not again what has not changed since. */
                "If-Modified-Since"?: string;
            };
            path: {
                upload_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    /** @description Of these bytes, for `If-None-Match` and `If-Range`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description A part, as `Range` asked for. */
            206: {
                headers: {
                    /** @description Of these bytes, for `If-None-Match` and `If-Range`. */
                    ETag?: string;
                    /** @description Which part it is. */
                    "Content-Range"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nothing has changed. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The file has no such part (`range_not_satisfiable`). */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_artifact_artifacts__key__get: {
        parameters: {
            query?: never;
            header?: {
                /** @description A part of the file, as `bytes=0-1023`. */
                Range?: string;
                /** @description The part only of this `ETag`, else the whole file. */
                "If-Range"?: string;
                /** @description Not again what has this `ETag`. */
                "If-None-Match"?: string;
                /** @description Not again what has not changed since. */
                "If-Modified-Since"?: string;
            };
            path: {
                key: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    /** @description Of these bytes, for `If-None-Match` and `If-Range`. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description A part, as `Range` asked for. */
            206: {
                headers: {
                    /** @description Of these bytes, for `If-None-Match` and `If-Range`. */
                    ETag?: string;
                    /** @description Which part it is. */
                    "Content-Range"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Nothing has changed. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The file has no such part (`range_not_satisfiable`). */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_generation_types_generation_types_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GenerationTypes"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    show_system_system_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SystemFigures"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The owner is no admin (`admin_only`), or a page of another site sent it. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    healthz_healthz_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
        };
    };
    readyz_readyz_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description It can't; `checks` say why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    metrics_metrics_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_dead_letters_dead_letters_get: {
        parameters: {
            query?: {
                reason?: string | null;
                task_id?: string | null;
                dropped?: boolean;
                after?: number;
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetters"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The owner is no admin (`admin_only`), or a page of another site sent it. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_dead_letters_dead_letters_retry_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Sequences */
                    sequences?: number[] | null;
                    /** Task Id */
                    task_id?: string | null;
                    /** Reason */
                    reason?: string | null;
                    /** All */
                    all?: true | null;
                    /**
                     * After
                     * @default 0
                     */
                    after?: number;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MendedDeadLetters"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The owner is no admin (`admin_only`), or a page of another site sent it. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry_dead_letter_dead_letters__sequence__retry_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sequence: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MendedDeadLetters"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The owner is no admin (`admin_only`), or a page of another site sent it. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    drop_dead_letter_dead_letters__sequence__drop_post: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sequence: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Note */
                    note: string;
                };
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MendedDeadLetters"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The owner is no admin (`admin_only`), or a page of another site sent it. */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description There is no such thing, or it is someone else's. */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    begin_session_session_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    end_session_session_delete: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Sent from a page of another site (`cross_site`). */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    make_token_tokens_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenView"];
                };
            };
            /** @description The credential is missing or wrong (`unauthorized`). */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A cookie, from a page of another site (`cross_site`). */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request can't be done as it is; `code` and `errors` say why. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The log or a store can't be reached now; `Retry-After` says when to ask again. */
            503: {
                headers: {
                    /** @description Seconds until it is worth asking again. */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
