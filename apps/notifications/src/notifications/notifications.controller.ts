import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Ctx } from '@atelier/auth';
import {
  notificationFilters,
  notificationView,
  readAllView,
  unreadCountView,
  type NotificationView,
  type ReadAllView,
  type UnreadCountView,
} from '@atelier/contracts/notifications/notifications.api';
import { idSchema, type Context } from '@atelier/kernel';
import { pageOf, pageQuery, type Page } from '@atelier/service';
import { CountUnread } from './count-unread.usecase.js';
import { DismissNotification } from './dismiss-notification.usecase.js';
import { ListNotifications } from './list-notifications.usecase.js';
import type { Notification } from './notification.domain.js';
import { ReadAllNotifications } from './read-all-notifications.usecase.js';
import { ReadNotification } from './read-notification.usecase.js';

const notificationId = idSchema('ntf');
const listQuery = pageQuery(notificationFilters);

/** A person's own inbox. Every POST here may be repeated: the first time counts. */
@ApiTags('notifications')
@Controller('api/v1/notifications')
export class NotificationsController {
  constructor(
    private readonly listNotifications: ListNotifications,
    private readonly countUnread: CountUnread,
    private readonly readNotification: ReadNotification,
    private readonly readAllNotifications: ReadAllNotifications,
    private readonly dismissNotification: DismissNotification,
  ) {}

  @Get()
  @ApiOkResponse({ standardSchema: pageOf(notificationView) })
  async list(
    @Query({ schema: listQuery }) { unread, ...page }: z.infer<typeof listQuery>,
    @Ctx() context: Context,
  ): Promise<Page<NotificationView>> {
    const found = await this.listNotifications.execute({ unreadOnly: unread === 'true', ...page }, context);
    return { ...found, items: found.items.map(toNotificationView) };
  }

  @Get('unread-count')
  @ApiOkResponse({ standardSchema: unreadCountView })
  async unreadCount(@Ctx() context: Context): Promise<UnreadCountView> {
    return { count: await this.countUnread.execute(context) };
  }

  @Post('read-all')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: readAllView })
  async readAll(@Ctx() context: Context): Promise<ReadAllView> {
    return { count: await this.readAllNotifications.execute(context) };
  }

  @Post(':id/read')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: notificationView })
  async read(
    @Param('id', { schema: notificationId }) id: string,
    @Ctx() context: Context,
  ): Promise<NotificationView> {
    return toNotificationView(await this.readNotification.execute(id, context));
  }

  @Post(':id/dismiss')
  @HttpCode(200)
  @ApiOkResponse({ standardSchema: notificationView })
  async dismiss(
    @Param('id', { schema: notificationId }) id: string,
    @Ctx() context: Context,
  ): Promise<NotificationView> {
    return toNotificationView(await this.dismissNotification.execute(id, context));
  }
}

function toNotificationView(notification: Notification): NotificationView {
  const { id, type, category, priority, title, message, actionText, actionUrl } = notification;
  const { readAt, dismissedAt, deliveryChannels, deliveryStatus, createdAt, expiresAt } = notification;
  return {
    ...{ id, type, category, priority, title, message },
    ...(actionText === undefined ? {} : { actionText }),
    ...(actionUrl === undefined ? {} : { actionUrl }),
    read: readAt !== undefined,
    readAt: readAt?.toISOString() ?? null,
    dismissed: dismissedAt !== undefined,
    dismissedAt: dismissedAt?.toISOString() ?? null,
    deliveryChannels: [...deliveryChannels],
    deliveryStatus,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}
