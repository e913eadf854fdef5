/** Signatures of requests to AWS. */

import { AwsV4Signer } from 'aws4fetch'
import type { Credentials } from './credentials.ts'

export interface AwsRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly region: string
  readonly service: string
  readonly credentials: Credentials
  /** As in X-Amz-Date; by default the time of the clock. */
  readonly datetime?: string
}

/**
 * Returns the headers of a POST request, with the signature over all of them.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html Signature Version 4}
 */
export async function signedHeaders({ credentials, datetime, ...request }: AwsRequest): Promise<Headers> {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN } = credentials
  const signer = new AwsV4Signer({
    ...request,
    method: 'POST',
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN !== undefined && { sessionToken: AWS_SESSION_TOKEN }),
    ...(datetime !== undefined && { datetime }),
    allHeaders: true,
  })
  return (await signer.sign()).headers
}
